#include <hltest/x86/flags.h>

#include <array>
#include <utility>

namespace hltest {

std::string to_string(Rflags rflags) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 13> kNames = {{
      {Rflags::kCf, "CF"},
      {Rflags::kPf, "PF"},
      {Rflags::kAf, "AF"},
      {Rflags::kZf, "ZF"},
      {Rflags::kSf, "SF"},
      {Rflags::kTf, "TF"},
      {Rflags::kIf, "IF"},
      {Rflags::kDf, "DF"},
      {Rflags::kOf, "OF"},
      {Rflags::kNt, "NT"},
      {Rflags::kRf, "RF"},
      {Rflags::kVm, "VM"},
      {Rflags::kAc, "AC"},
  }};
  std::string names;
  for (const auto& [bit, name] : kNames) {
    if ((rflags.value & bit) == 0) continue;
    if (!names.empty()) names += ' ';
    names += name;
  }
  return names;
}

}  // namespace hltest
