#pragma once

#include <string>

#include <hltest/x86/descriptor.h>

namespace hltest::internal {

/// What a selector is loaded for.
enum class SelectorUse {
  kTransfer,    ///< CS, by a far jump or call
  kGateTarget,  ///< CS, by a far call through a call gate
  kReturn,      ///< CS, by IRET or a far return
  kStack,       ///< SS
  kData,        ///< DS, ES, FS, GS
  kTask,        ///< TR
  kLdt,         ///< LDTR
  kUnknown,
};

/// The privilege levels that a load is checked for.
struct SelectorLoad {
  SelectorUse use = SelectorUse::kUnknown;
  unsigned cpl = 0;  ///< of a return: the level that it returns to
  unsigned rpl = 0;
  bool ia32e = false;
};

/// The rule that loading this descriptor breaks, without a full stop (SDM vol. 3, 5.5 to 5.8);
/// empty if it breaks none.
std::string broken_rule(const SelectorLoad& load, const Descriptor& descriptor);

}  // namespace hltest::internal
