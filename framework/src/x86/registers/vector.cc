#include <hltest/x86/vector.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest {
namespace {

struct Row {
  Vector vector;
  const char* mnemonic;
  const char* description;
  bool pushes_error_code;
};

constexpr std::array kTable = {
    Row{Vector::kDivideError, "#DE", "divide error", false},
    Row{Vector::kDebug, "#DB", "debug", false},
    Row{Vector::kNonMaskableInterrupt, "NMI", "non-maskable interrupt", false},
    Row{Vector::kBreakpoint, "#BP", "breakpoint", false},
    Row{Vector::kOverflow, "#OF", "overflow", false},
    Row{Vector::kBoundRangeExceeded, "#BR", "BOUND range exceeded", false},
    Row{Vector::kInvalidOpcode, "#UD", "invalid opcode", false},
    Row{Vector::kDeviceNotAvailable, "#NM", "device not available", false},
    Row{Vector::kDoubleFault, "#DF", "double fault", true},
    Row{Vector::kInvalidTss, "#TS", "invalid TSS", true},
    Row{Vector::kSegmentNotPresent, "#NP", "segment not present", true},
    Row{Vector::kStackFault, "#SS", "stack-segment fault", true},
    Row{Vector::kGeneralProtection, "#GP", "general protection", true},
    Row{Vector::kPageFault, "#PF", "page fault", true},
    Row{Vector::kX87FloatingPoint, "#MF", "x87 floating-point error", false},
    Row{Vector::kAlignmentCheck, "#AC", "alignment check", true},
    Row{Vector::kMachineCheck, "#MC", "machine check", false},
    Row{Vector::kSimdFloatingPoint, "#XM", "SIMD floating-point exception", false},
    Row{Vector::kVirtualization, "#VE", "virtualization exception", false},
    Row{Vector::kControlProtection, "#CP", "control protection", true},
};

const Row* find(Vector vector) {
  const auto* const row = std::ranges::find(kTable, vector, &Row::vector);
  return row == kTable.end() ? nullptr : row;
}

}  // namespace

std::string mnemonic(Vector vector) {
  const Row* const row = find(vector);
  return row != nullptr ? row->mnemonic
                        : fmt::format("vector {:#04x}", static_cast<unsigned>(vector));
}

std::string description(Vector vector) {
  const Row* const row = find(vector);
  return row != nullptr ? row->description : "interrupt";
}

bool pushes_error_code(Vector vector) {
  const Row* const row = find(vector);
  return row != nullptr && row->pushes_error_code;
}

}  // namespace hltest
