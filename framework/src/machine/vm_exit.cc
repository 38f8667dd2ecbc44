#include "machine/vm_exit.h"

#include <fmt/format.h>

#include <iterator>

namespace hltest {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;  // clang++ 14 does not make it itself

std::uint32_t kvm_reason(const VmExit& exit) {
  switch (exit.reason) {
    case ExitReason::kHlt:
      return KVM_EXIT_HLT;
    case ExitReason::kIo:
      return KVM_EXIT_IO;
    case ExitReason::kMmio:
      return KVM_EXIT_MMIO;
    case ExitReason::kDebug:
      return KVM_EXIT_DEBUG;
    case ExitReason::kRdmsr:
      return KVM_EXIT_X86_RDMSR;
    case ExitReason::kWrmsr:
      return KVM_EXIT_X86_WRMSR;
    case ExitReason::kShutdown:
      return KVM_EXIT_SHUTDOWN;
    case ExitReason::kInternalError:
      return KVM_EXIT_INTERNAL_ERROR;
    case ExitReason::kFailEntry:
      return KVM_EXIT_FAIL_ENTRY;
    case ExitReason::kInterrupted:
      return KVM_EXIT_INTR;
    case ExitReason::kUnknown:
      return exit.raw_reason;
  }
  return exit.raw_reason;
}

}  // namespace

std::string to_string(const VmExit& exit) {
  std::string text = kvm::exit_reason_name(kvm_reason(exit));
  if (exit.reason == ExitReason::kIo) {
    fmt::format_to(std::back_inserter(text), ": {} {:#x}, ",
                   exit.direction == Direction::kOut ? "out" : "in", exit.port);
  } else if (exit.reason == ExitReason::kMmio) {
    fmt::format_to(std::back_inserter(text), ": {} {}, ",
                   exit.direction == Direction::kOut ? "write" : "read", to_string(exit.gpa));
  } else {
    return text;
  }
  if (exit.count > 1) fmt::format_to(std::back_inserter(text), "{} times ", exit.count);
  fmt::format_to(std::back_inserter(text), "{} byte{}: {:02x}", exit.size,
                 exit.size == 1 ? "" : "s", fmt::join(exit.data, " "));
  return text;
}

VmExit record(const kvm::Exit& exit) {
  return std::visit(
      Overloaded{
          [](const kvm::HltExit&) { return VmExit{.reason = ExitReason::kHlt}; },
          [](const kvm::IoExit& io) {
            return VmExit{.reason = ExitReason::kIo,
                          .direction = io.is_out ? Direction::kOut : Direction::kIn,
                          .port = io.port,
                          .size = io.size,
                          .count = io.count,
                          .data = {io.data.begin(), io.data.end()}};
          },
          [](const kvm::MmioExit& mmio) {
            return VmExit{.reason = ExitReason::kMmio,
                          .direction = mmio.is_write ? Direction::kOut : Direction::kIn,
                          .gpa = mmio.gpa,
                          .size = static_cast<std::uint8_t>(mmio.data.size()),
                          .count = 1,
                          .data = {mmio.data.begin(), mmio.data.end()}};
          },
          [](const kvm::MsrExit& msr) {
            return VmExit{.reason = msr.is_write ? ExitReason::kWrmsr : ExitReason::kRdmsr,
                          .direction = msr.is_write ? Direction::kOut : Direction::kIn};
          },
          [](const kvm::DebugExit&) { return VmExit{.reason = ExitReason::kDebug}; },
          [](const kvm::ShutdownExit&) { return VmExit{.reason = ExitReason::kShutdown}; },
          [](const kvm::InternalErrorExit&) {
            return VmExit{.reason = ExitReason::kInternalError};
          },
          [](const kvm::FailEntryExit&) { return VmExit{.reason = ExitReason::kFailEntry}; },
          [](const kvm::InterruptedExit&) { return VmExit{.reason = ExitReason::kInterrupted}; },
          [](const kvm::UnknownExit& unknown) {
            return VmExit{.reason = ExitReason::kUnknown, .raw_reason = unknown.reason};
          },
      },
      exit);
}

}  // namespace hltest
