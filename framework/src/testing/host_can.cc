#include <hltest/error.h>
#include <hltest/host_can.h>
#include <hltest/machine.h>

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
  }
  return {.what = "an ability without a name", .mode = CpuMode::kReal16, .code = {0xF4}};
}

std::string why_not(const Probe& probe) {
  Machine machine{probe.mode};
  machine.set_timeout(std::chrono::seconds{2});
  try {
    probe.prepare(machine);
    const Outcome outcome = machine.run(FlatImage{"probe", probe.code});
    if (probe.works(outcome)) return {};
    return fmt::format("this host can't run {}: {}", probe.what, summary(outcome));
  } catch (const SetupError& error) {
    return fmt::format("this host can't run {}: {}", probe.what, error.what());
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
