#include <hltest/x86/cpu_mode.h>

namespace hltest {

CpuMode cpu_mode(const Registers& registers) {
  if (!registers.cr0.pe()) return CpuMode::kReal16;
  if (registers.efer.lma()) {
    if (registers.cs.l) return CpuMode::kLong64;
    return registers.cs.db ? CpuMode::kCompatibility32 : CpuMode::kCompatibility16;
  }
  if (registers.rflags.vm()) return CpuMode::kVirtual8086;
  return registers.cs.db ? CpuMode::kProtected32 : CpuMode::kProtected16;
}

std::string to_string(CpuMode mode) {
  switch (mode) {
    case CpuMode::kReal16:
      return "real16";
    case CpuMode::kVirtual8086:
      return "virtual8086";
    case CpuMode::kProtected16:
      return "protected16";
    case CpuMode::kProtected32:
      return "protected32";
    case CpuMode::kCompatibility16:
      return "compatibility16";
    case CpuMode::kCompatibility32:
      return "compatibility32";
    case CpuMode::kLong64:
      return "long64";
  }
  return "unknown mode";
}

std::string mode_name(const Registers& registers) {
  const CpuMode mode = cpu_mode(registers);
  const bool user = mode != CpuMode::kReal16 && registers.cpl() == 3;
  return to_string(mode) + (user ? "_user" : "");
}

Gva stack_address(const Registers& registers) {
  if (cpu_mode(registers) == CpuMode::kLong64) return Gva{registers.rsp};
  const std::uint64_t offset = registers.ss.db ? registers.esp() : registers.sp();
  return Gva{(registers.ss.base.value() + offset) & 0xFFFF'FFFF};
}

}  // namespace hltest
