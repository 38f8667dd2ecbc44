#include "start/default_registers.h"

#include <algorithm>

#include <hltest/error.h>
#include <hltest/memory_layout.h>

namespace hltest::internal {
namespace {

constexpr std::uint16_t kIvtLimit = 256 * 4 - 1;
constexpr std::uint16_t kIdt32Limit = 256 * 8 - 1;
constexpr std::uint16_t kIdt64Limit = 256 * 16 - 1;
constexpr std::uint32_t kTssLimit = 103;  // the smallest TSS, 32- and 64-bit (SDM vol. 3, 8.2.1)
constexpr std::uint64_t kStackGap = 16;

// What `start_descriptors.cc` puts into the GDT under these selectors, loaded.
struct Segments {
  Segment code;
  Segment data;
};

Segments segments_of(CpuMode mode, unsigned cpl) {
  const bool user = cpl == 3;
  const auto flat_16 = [](std::uint16_t selector, std::uint8_t type) {
    return Segment{
        .selector = selector, .type = type, .dpl = static_cast<std::uint8_t>(selector & 3U)};
  };
  if (code_bits(mode) == 16) {
    return {flat_16(user ? kUserCode16Selector : kCode16Selector, Segment::kCodeReadExecute),
            flat_16(user ? kUserData16Selector : kData16Selector, Segment::kDataReadWrite)};
  }
  const Segment data = Segment::flat_data(user ? kUserDataSelector : kDataSelector);
  if (code_bits(mode) == 64) {
    return {Segment::code64(user ? kUserCode64Selector : kCode64Selector), data};
  }
  return {Segment::flat_code32(user ? kUserCode32Selector : kCode32Selector), data};
}

std::uint64_t stack_pointer(CpuMode mode, Gpa end_of_ram) {
  const std::uint64_t end =
      code_bits(mode) == 16 ? std::min(end_of_ram.value(), 64 * kKiB) : end_of_ram.value();
  return end - kStackGap;
}

Registers real_mode_registers() {
  Registers registers;
  registers.set_all_segments(Segment::real_mode(0));
  registers.cs.type = Segment::kCodeReadExecute;
  registers.tr = Segment::task_state(0, Gva{0}, 0xFFFF);
  registers.ldt = Segment::null_ldt();
  registers.idt = {Gva{0}, kIvtLimit};
  registers.gdt = {Gva{0}, 0xFFFF};
  registers.cr0.value = Cr0::kEt;
  return registers;
}

Registers protected_mode_registers(CpuMode mode) {
  const Gva system{kSystemRegion.value()};
  Registers registers;
  set_privilege(0, mode, registers);
  registers.tr = Segment::task_state(kTssSelector, system + kTssOffset, kTssLimit);
  registers.ldt = Segment::null_ldt();
  registers.gdt.base = system + kGdtOffset;  // its limit is that of what is in it
  registers.idt = {system + kIdtOffset, is_ia32e(mode) ? kIdt64Limit : kIdt32Limit};
  registers.cr0.value = Cr0::kPe | Cr0::kEt | Cr0::kNe;
  if (is_ia32e(mode)) {
    registers.cr0.value |= Cr0::kMp;
    registers.cr4.value = Cr4::kOsfxsr | Cr4::kOsxmmexcpt;
    registers.efer.value = Efer::kLme | Efer::kLma;
    set_paging_registers(PagingMode::k4Level, registers);
  }
  return registers;
}

void set(std::uint64_t& value, std::uint64_t bits, bool on) {
  value = on ? value | bits : value & ~bits;
}

}  // namespace

Registers default_registers(CpuMode mode, Gpa end_of_ram) {
  if (mode == CpuMode::kVirtual8086) {
    throw SetupError("no guest starts in " + to_string(mode) +
                     ": it starts in protected32, and sets VM by an IRET");
  }
  Registers registers =
      mode == CpuMode::kReal16 ? real_mode_registers() : protected_mode_registers(mode);
  registers.rsp = stack_pointer(mode, end_of_ram);
  return registers;
}

void set_paging_registers(PagingMode mode, Registers& registers) {
  const bool paging = mode != PagingMode::kNone;
  const bool pae = paging && mode != PagingMode::k32Bit;
  set(registers.cr0.value, Cr0::kPg | Cr0::kWp, paging);
  set(registers.cr4.value, Cr4::kPse, mode == PagingMode::k32Bit);
  set(registers.cr4.value, Cr4::kPae, pae);
  set(registers.cr4.value, Cr4::kLa57, mode == PagingMode::k5Level);
  set(registers.efer.value, Efer::kNxe, pae);
  registers.cr3.value = paging ? (kSystemRegion + kPageTablesOffset).value() : 0;
}

void set_privilege(unsigned cpl, CpuMode mode, Registers& registers) {
  const Segments segments = segments_of(mode, cpl);
  registers.set_all_segments(segments.data);
  registers.cs = segments.code;
  set(registers.efer.value, Efer::kSce, cpl == 3);
}

std::vector<MsrValue> system_call_msrs(CpuMode mode) {
  const std::uint64_t handlers = (kSystemRegion + kHandlersOffset).value();
  const std::uint64_t stack = kHandlerStackTop.value();
  const std::uint64_t code = is_ia32e(mode) ? kCode64Selector : kCode32Selector;
  // What SYSCALL clears of RFLAGS, as kernels have it.
  constexpr std::uint64_t kCleared =
      Rflags::kTf | Rflags::kIf | Rflags::kDf | Rflags::kNt | Rflags::kAc;
  std::vector<MsrValue> msrs = {
      // In legacy mode (AMD only) the low half of STAR is where SYSCALL goes.
      {Msr::kIa32Star, std::uint64_t{kUserCode32Selector} << 48U | code << 32U |
                           (is_ia32e(mode) ? 0 : handlers + kSyscall32Offset)},
      {Msr::kIa32SysenterCs, code},
      {Msr::kIa32SysenterEsp, stack},
      {Msr::kIa32SysenterEip, handlers + kSysenterOffset},
  };
  if (is_ia32e(mode)) {
    msrs.push_back({Msr::kIa32Lstar, handlers + kSyscallOffset});
    msrs.push_back({Msr::kIa32Cstar, handlers + kSyscall32Offset});
    msrs.push_back({Msr::kIa32Fmask, kCleared});
  }
  return msrs;
}

}  // namespace hltest::internal
