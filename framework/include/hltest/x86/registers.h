#pragma once

#include <array>
#include <cstdint>

#include <hltest/x86/control_registers.h>
#include <hltest/x86/flags.h>
#include <hltest/x86/general_registers.h>
#include <hltest/x86/segment.h>

namespace hltest {

/// The state of one processor that a program can see, without FPU, SSE and MSRs: general registers
/// (`al()`, `ax()`, `eax()`, `rax`), `rip`, flags (`rflags.zf()`), segments with their hidden parts
/// (`cs.selector`, `cs.base`), descriptor-table and control registers (`cr0.pe()`, `efer.lma()`).
struct Registers : GeneralRegisters {
  /// The offset within CS of the next instruction: IP, EIP or RIP.
  std::uint64_t rip = 0;
  Rflags rflags{};

  Segment cs{};
  Segment ds{};
  Segment es{};
  Segment fs{};
  Segment gs{};
  Segment ss{};
  Segment tr{};
  Segment ldt{};
  DescriptorTableRegister gdt{};
  DescriptorTableRegister idt{};

  Cr0 cr0{};
  /// The linear address of the last page fault.
  Gva cr2{};
  Cr3 cr3{};
  Cr4 cr4{};
  /// The task priority, 0 to 15.
  std::uint64_t cr8 = 0;
  Efer efer{};

  [[nodiscard]] constexpr std::uint32_t eip() const { return static_cast<std::uint32_t>(rip); }
  [[nodiscard]] constexpr std::uint16_t ip() const { return static_cast<std::uint16_t>(rip); }

  /// The current privilege level, 0 to 3: the DPL of SS (SDM vol. 3, 5.5; 0 in real mode).
  [[nodiscard]] unsigned cpl() const { return ss.dpl; }
  /// Where the next instruction is fetched from: CS base + RIP, cut to 32 bits outside 64-bit mode.
  [[nodiscard]] Gva code_address() const;
  /// Sets CS, DS, ES, FS, GS and SS to `segment`, as `flat_data` or `real_mode` makes it.
  void set_all_segments(const Segment& segment);

  friend bool operator==(const Registers&, const Registers&) = default;
};

}  // namespace hltest
