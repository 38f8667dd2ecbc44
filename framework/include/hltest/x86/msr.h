#pragma once

#include <cstdint>
#include <string>

namespace hltest {

/// A model-specific register, by the address that RDMSR expects in ECX (SDM vol. 4, table 2-2). For
/// any other write `Msr{0x1234}`.
enum class Msr : std::uint32_t {
  kIa32TimeStampCounter = 0x10,
  kIa32ApicBase = 0x1B,
  kIa32SysenterCs = 0x174,
  kIa32SysenterEsp = 0x175,
  kIa32SysenterEip = 0x176,
  kIa32MiscEnable = 0x1A0,
  kIa32Pat = 0x277,
  kIa32Efer = 0xC000'0080,
  kIa32Star = 0xC000'0081,
  kIa32Lstar = 0xC000'0082,
  kIa32Cstar = 0xC000'0083,
  kIa32Fmask = 0xC000'0084,
  kIa32FsBase = 0xC000'0100,
  kIa32GsBase = 0xC000'0101,
  kIa32KernelGsBase = 0xC000'0102,
  kIa32TscAux = 0xC000'0103,
};

/// `IA32_LSTAR`, or `MSR 0x1234` for one without a name above.
std::string to_string(Msr msr);

}  // namespace hltest
