#pragma once

#include <cstdint>

#include <hltest/x86/address.h>

namespace hltest {

/// A segment register with its hidden part, as the processor caches it (SDM vol. 3, 3.4.3).
struct Segment {
  // Types of a code or data descriptor (S = 1), accessed (SDM vol. 3, table 3-1).
  static constexpr std::uint8_t kDataReadWrite = 0x3;
  static constexpr std::uint8_t kCodeReadExecute = 0xB;
  // Types of a system descriptor (S = 0; SDM vol. 3, table 3-2).
  static constexpr std::uint8_t kLdt = 0x2;
  static constexpr std::uint8_t kBusyTss = 0xB;  ///< 32-bit, or 64-bit in IA-32e mode

  std::uint16_t selector = 0;
  Gva base{};
  std::uint32_t limit = 0xFFFF;  ///< the last offset inside, in bytes whatever G is
  std::uint8_t type = kDataReadWrite;
  std::uint8_t dpl = 0;      ///< 0 to 3
  bool s = true;             ///< a code or data segment, not a system segment
  bool present = true;       ///< P
  bool avl = false;          ///< free for software
  bool l = false;            ///< 64-bit code
  bool db = false;           ///< D/B: 32-bit default operation size or stack
  bool granularity = false;  ///< G: the descriptor counts its limit in units of 4 KiB
  bool unusable = false;     ///< loaded with a null selector

  /// As a real-mode load sets it: base = selector * 16, limit 64 KiB (SDM vol. 3, 21.1.1).
  static Segment real_mode(std::uint16_t selector);
  /// The same, but 4 GiB long: a data segment register in "unreal mode", which was loaded in
  /// protected mode before the return to real mode.
  static Segment unreal_mode(std::uint16_t selector);
  /// Base 0 and 4 GiB long, with D/B set; the RPL of the selector becomes the DPL.
  static Segment flat_code32(std::uint16_t selector);
  static Segment flat_data(std::uint16_t selector);
  /// 64-bit code: L set, D clear (SDM vol. 3, 5.2.1).
  static Segment code64(std::uint16_t selector);
  /// The task register with a busy 32-bit TSS (64-bit in IA-32e mode) of `limit` + 1 bytes.
  static Segment task_state(std::uint16_t selector, Gva base, std::uint32_t limit);
  /// The task register with a busy 16-bit TSS.
  static Segment task_state16(std::uint16_t selector, Gva base, std::uint32_t limit);
  /// An LDTR that was loaded with a null selector.
  static Segment null_ldt();

  friend bool operator==(const Segment&, const Segment&) = default;
};

/// GDTR or IDTR: the limit is the last byte's offset, so 8 * entries - 1 (SDM vol. 3, 2.4).
struct DescriptorTableRegister {
  Gva base{};
  std::uint16_t limit = 0;
  friend bool operator==(const DescriptorTableRegister&, const DescriptorTableRegister&) = default;
};

/// The 8 bytes of a GDT or LDT entry that loads as `segment` does (SDM vol. 3, 3.4.5). A TSS or LDT
/// in IA-32e mode has 8 more that hold bits 63:32 of the base.
std::uint64_t descriptor(const Segment& segment);

/// The segment that loading `selector` from these 8 bytes gives: the inverse of `descriptor`.
Segment segment_from_descriptor(std::uint64_t bytes, std::uint16_t selector);

}  // namespace hltest
