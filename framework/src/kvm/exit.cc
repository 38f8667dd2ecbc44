#include "kvm/exit.h"

#include <linux/kvm.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest::internal::kvm {
namespace {

struct ReasonName {
  std::uint32_t reason;
  const char* name;
};

constexpr std::array kReasons = {
    ReasonName{KVM_EXIT_UNKNOWN, "KVM_EXIT_UNKNOWN"},
    ReasonName{KVM_EXIT_EXCEPTION, "KVM_EXIT_EXCEPTION"},
    ReasonName{KVM_EXIT_IO, "KVM_EXIT_IO"},
    ReasonName{KVM_EXIT_HYPERCALL, "KVM_EXIT_HYPERCALL"},
    ReasonName{KVM_EXIT_DEBUG, "KVM_EXIT_DEBUG"},
    ReasonName{KVM_EXIT_HLT, "KVM_EXIT_HLT"},
    ReasonName{KVM_EXIT_MMIO, "KVM_EXIT_MMIO"},
    ReasonName{KVM_EXIT_IRQ_WINDOW_OPEN, "KVM_EXIT_IRQ_WINDOW_OPEN"},
    ReasonName{KVM_EXIT_SHUTDOWN, "KVM_EXIT_SHUTDOWN"},
    ReasonName{KVM_EXIT_FAIL_ENTRY, "KVM_EXIT_FAIL_ENTRY"},
    ReasonName{KVM_EXIT_INTR, "KVM_EXIT_INTR"},
    ReasonName{KVM_EXIT_SET_TPR, "KVM_EXIT_SET_TPR"},
    ReasonName{KVM_EXIT_TPR_ACCESS, "KVM_EXIT_TPR_ACCESS"},
    ReasonName{KVM_EXIT_NMI, "KVM_EXIT_NMI"},
    ReasonName{KVM_EXIT_INTERNAL_ERROR, "KVM_EXIT_INTERNAL_ERROR"},
    ReasonName{KVM_EXIT_SYSTEM_EVENT, "KVM_EXIT_SYSTEM_EVENT"},
    ReasonName{KVM_EXIT_X86_RDMSR, "KVM_EXIT_X86_RDMSR"},
    ReasonName{KVM_EXIT_X86_WRMSR, "KVM_EXIT_X86_WRMSR"},
    ReasonName{KVM_EXIT_X86_BUS_LOCK, "KVM_EXIT_X86_BUS_LOCK"},
};

static_assert(InternalErrorExit::kEmulation == KVM_INTERNAL_ERROR_EMULATION);

}  // namespace

Exit decode_exit(kvm_run& run, std::span<std::uint8_t> run_area) {
  // The union's members below are those that <linux/kvm.h> ties to exit_reason.
  switch (run.exit_reason) {
    case KVM_EXIT_HLT:
      return HltExit{};
    case KVM_EXIT_IO:
      return IoExit{
          .is_out = run.io.direction == KVM_EXIT_IO_OUT,
          .port = run.io.port,
          .size = run.io.size,
          .count = run.io.count,
          .data = run_area.subspan(run.io.data_offset, std::size_t{run.io.size} * run.io.count)};
    case KVM_EXIT_MMIO:
      return MmioExit{
          .is_write = run.mmio.is_write != 0,
          .gpa = Gpa{run.mmio.phys_addr},
          .data = std::span{run.mmio.data}.first(std::min<std::size_t>(run.mmio.len, 8))};
    case KVM_EXIT_DEBUG:
      return DebugExit{};
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
      return MsrExit{.is_write = run.exit_reason == KVM_EXIT_X86_WRMSR,
                     .index = run.msr.index,
                     .data = run.msr.data};
    case KVM_EXIT_SHUTDOWN:
      return ShutdownExit{};
    case KVM_EXIT_INTERNAL_ERROR: {
      const auto data = std::span{run.internal.data}.first(
          std::min<std::size_t>(run.internal.ndata, std::size(run.internal.data)));
      return InternalErrorExit{.suberror = run.internal.suberror, .data{data.begin(), data.end()}};
    }
    case KVM_EXIT_FAIL_ENTRY:
      return FailEntryExit{run.fail_entry.hardware_entry_failure_reason};
    case KVM_EXIT_INTR:
      return InterruptedExit{};
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return InterruptWindowExit{};
    default:
      return UnknownExit{run.exit_reason};
  }
}

std::string exit_reason_name(std::uint32_t reason) {
  const auto* const row = std::ranges::find(kReasons, reason, &ReasonName::reason);
  return row != kReasons.end() ? row->name : fmt::format("KVM exit reason {}", reason);
}

}  // namespace hltest::internal::kvm
