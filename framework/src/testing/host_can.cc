#include <hltest/error.h>
#include <hltest/host_can.h>
#include <hltest/machine.h>
#include <hltest/memory_layout.h>

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace hltest {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Probe {
  const char* what;
  CpuMode mode;
  Bytes code;
  void (*prepare)(Machine& machine) = [](Machine&) {};
  bool (*works)(const Outcome& outcome) = [](const Outcome& outcome) { return outcome.halted(); };
};

Probe paging_probe(const char* what, CpuMode mode, void (*prepare)(Machine& machine)) {
  return {.what = what, .mode = mode, .code = {0x90, 0xF4}, .prepare = prepare};
}

// A bit of CR4 that a processor without the feature refuses.
template <std::uint64_t kBit>
Probe control_bit_probe(const char* what) {
  return {.what = what, .mode = CpuMode::kLong64, .code = {0xF4}, .prepare = [](Machine& machine) {
            machine.registers().cr4->value |= kBit;
          }};
}

Probe probe_for(Ability ability) {
  switch (ability) {
    case Ability::k32BitPaging:
      return paging_probe("32-bit paging", CpuMode::kProtected32,
                          [](Machine& machine) { machine.set_paging(PagingMode::k32Bit); });
    case Ability::kPaePaging:
      return paging_probe("PAE paging", CpuMode::kProtected32,
                          [](Machine& machine) { machine.set_paging(PagingMode::kPae); });
    case Ability::k5LevelPaging:
      return paging_probe("5-level paging", CpuMode::kLong64,
                          [](Machine& machine) { machine.set_paging(PagingMode::k5Level); });
    case Ability::kVirtual8086:
      return {.what = "virtual-8086 mode",
              .mode = CpuMode::kProtected32,
              // push GS, FS, DS, ES, SS, ESP, EFLAGS (VM), CS, EIP; iretd to a HLT
              .code = {0x6A, 0, 0x6A, 0,    0x6A, 0,    0x6A, 0,    0x6A, 0, 0x6A, 0,    0x68, 2,
                       0,    2, 0,    0x6A, 0,    0x68, 0x1A, 0x10, 0,    0, 0xCF, 0x90, 0xF4},
              .works = [](const Outcome& outcome) {
                return outcome.halted() && outcome.mode == CpuMode::kVirtual8086;
              }};
    case Ability::kSoftwareInterrupts:
      return {.what = "INT n in protected mode",
              .mode = CpuMode::kProtected32,
              .code = {0xCD, 0x80, 0xF4},
              .works = [](const Outcome& outcome) {
                const auto* const exception = std::get_if<Exception>(&outcome.stop);
                return exception != nullptr && exception->vector == Vector{0x80};
              }};
    case Ability::kSseArithmetic:
      return {.what = "SSE arithmetic",
              .mode = CpuMode::kLong64,
              .code = {0x0F, 0x58, 0xC1, 0xF4}};  // addps xmm0, xmm1
    case Ability::kCpuidChanges:
      return {.what = "another CPUID than the host's",
              .mode = CpuMode::kReal16,
              .code = {0xF4},
              .prepare = [](Machine& machine) { machine.cpuid().hide(kCpuidSse2); }};
    case Ability::kSegmentLimitChecks:
      return {.what = "checks of segment limits",
              .mode = CpuMode::kReal16,
              // mov eax, [dword 0x200000], beyond the 64 KiB of DS
              .code = {0x67, 0x66, 0xA1, 0, 0, 0x20, 0, 0xF4},
              .works = [](const Outcome& outcome) { return !outcome.halted(); }};
    case Ability::k1GiBPages:
      return paging_probe("1 GiB pages", CpuMode::kLong64, [](Machine& machine) {
        machine.remap(
            {.gva = Gva{kGiB}, .gpa = Gpa{0}, .size = kGiB, .page_size = PageSize::k1GiB});
        machine.registers().rip = kGiB + kLoadAddress.value();
      });
    case Ability::kFarCalls:
      return {.what = "far calls in protected mode",
              .mode = CpuMode::kProtected32,
              // call kCode32Selector:0x1009; ud2; hlt
              .code = {0x9A, 0x09, 0x10, 0, 0, kCode32Selector, 0, 0x0F, 0x0B, 0xF4}};
    case Ability::kCallGates:
      return {.what = "call gates",
              .mode = CpuMode::kProtected32,
              // call kFirstFreeSelector:0; ud2; hlt
              .code = {0x9A, 0, 0, 0, 0, kFirstFreeSelector | 3, 0, 0x0F, 0x0B, 0xF4},
              .prepare =
                  [](Machine& machine) {
                    machine.set_cpl(3);
                    machine.set_descriptor(kFirstFreeSelector,
                                           CallGate32{.selector = kCode32Selector,
                                                      .offset = kLoadAddress.value() + 9,
                                                      .dpl = 3});
                  },
              .works =
                  [](const Outcome& outcome) {
                    return outcome.halted() && outcome.registers.cpl() == 0;
                  }};
    case Ability::kIret:
      return {.what = "IRETD in protected mode",
              .mode = CpuMode::kProtected32,
              // pushfd; push cs; push 0x100A; iretd; ud2; hlt
              .code = {0x9C, 0x0E, 0x68, 0x0A, 0x10, 0, 0, 0xCF, 0x0F, 0x0B, 0xF4}};
    case Ability::kSyscall:
      return {.what = "SYSCALL of 64-bit code",
              .mode = CpuMode::kLong64,
              .code = {0x0F, 0x05, 0xF4},
              .prepare = [](Machine& machine) { machine.set_cpl(3); },
              .works =
                  [](const Outcome& outcome) {
                    return std::holds_alternative<SystemCall>(outcome.stop);
                  }};
    case Ability::kSysret:
      return {.what = "SYSRET to 64-bit code",
              .mode = CpuMode::kLong64,
              // mov ecx, 0x100E; mov r11d, 2; sysretq; hlt at CPL 3
              .code = {0xB9, 0x0E, 0x10, 0, 0, 0x41, 0xBB, 2, 0, 0, 0, 0x48, 0x0F, 0x07, 0xF4},
              .prepare =
                  [](Machine& machine) {
                    const RegisterSettings supervisor = machine.registers();
                    machine.set_cpl(3);  // pages, EFER.SCE and STAR as SYSRET needs them
                    machine.registers().cs = supervisor.cs.value();
                    machine.registers().ss = supervisor.ss.value();
                  },
              .works =
                  [](const Outcome& outcome) {
                    return outcome.halted() && outcome.registers.cpl() == 3;
                  }};
    case Ability::kPrivilegeOf64BitCpl3:
      return {.what = "64-bit code at CPL 3 with the guest's own IOPL",
              .mode = CpuMode::kLong64,
              .code = {0xFA, 0xF4},  // cli
              .prepare = [](Machine& machine) {
                machine.set_cpl(3);
                machine.registers().rflags->value |= 3U << 12U;  // IOPL
              }};
    case Ability::kSmep:
      return control_bit_probe<Cr4::kSmep>("SMEP");
    case Ability::kSmap:
      return control_bit_probe<Cr4::kSmap>("SMAP");
    case Ability::kUmip:
      return {.what = "UMIP",
              .mode = CpuMode::kProtected32,
              .code = {0x0F, 0x01, 0x05, 0, 0x20, 0, 0, 0xF4},  // sgdt [0x2000]
              .prepare =
                  [](Machine& machine) {
                    machine.set_cpl(3);
                    machine.registers().cr4->value |= Cr4::kUmip;
                  },
              .works =
                  [](const Outcome& outcome) {
                    const auto* const exception = std::get_if<Exception>(&outcome.stop);
                    return exception != nullptr && exception->vector == Vector::kGeneralProtection;
                  }};
  }
  return {.what = "an ability without a name", .mode = CpuMode::kReal16, .code = {0xF4}};
}

std::string why_not(const Probe& probe) {
  Machine machine{probe.mode};
  machine.set_timeout(std::chrono::seconds{2});
  const auto reason = [&](const std::string& why) {
    return fmt::format("this host can't run {}: {}", probe.what, why);
  };
  try {
    probe.prepare(machine);
    const Outcome outcome = machine.run(FlatImage{"probe", probe.code});
    if (probe.works(outcome)) return {};
    return reason(summary(outcome));
  } catch (const SetupError& error) {
    return reason(error.what());
  } catch (const PagingError& error) {
    return reason(error.what());
  }
}

}  // namespace

HostCan::HostCan(Ability ability) {
  static std::mutex mutex;
  static std::map<Ability, std::string> known;
  const std::scoped_lock lock{mutex};
  auto found = known.find(ability);
  if (found == known.end()) {
    found = known.emplace(ability, why_not(probe_for(ability))).first;
  }
  reason = found->second;
}

}  // namespace hltest
