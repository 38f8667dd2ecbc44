#pragma once

#include <hltest/error.h>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <hltest/x86/segment.h>

/// The entries of GDT, LDT and IDT by name: `Code64{}`, `Data32{.limit = 0xFFFF}`,
/// `InterruptGate32{.selector = 8, .offset = 0x1234, .dpl = 3}`.
namespace hltest {

/// True if G counts a descriptor's limit in 4 KiB: where it is asked for, and over 1 MiB always.
constexpr bool counts_4kib(std::uint32_t limit, bool granularity) {
  return granularity || limit > 0xF'FFFF;
}

/// A code segment with D clear (16) or set (32; SDM vol. 3, 3.4.5.1). Base and limit are in bytes;
/// the limit is the last offset that is inside. Where G counts it in 4 KiB, which is so over 1 MiB
/// and where `granularity` asks for it, it ends in 0xFFF. The accessed flag is the processor's to
/// set: segments that differ only in it are equal.
template <unsigned kBits>
struct CodeSegment {
  Gva base{};
  std::uint32_t limit = kBits == 16 ? 0xFFFF : 0xFFFF'FFFF;
  unsigned dpl = 0;
  bool readable = true;
  bool conforming = false;
  bool present = true;
  bool avl = false;          ///< free for software
  bool granularity = false;  ///< G
  bool accessed = true;
  friend constexpr bool operator==(const CodeSegment& a, const CodeSegment& b) {
    return a.base == b.base && a.limit == b.limit && a.dpl == b.dpl && a.readable == b.readable &&
           a.conforming == b.conforming && a.present == b.present && a.avl == b.avl &&
           counts_4kib(a.limit, a.granularity) == counts_4kib(b.limit, b.granularity);
  }
};
using Code16 = CodeSegment<16>;
using Code32 = CodeSegment<32>;

/// A code segment with L set: base and limit have no meaning (SDM vol. 3, 5.2.1).
struct Code64 {
  unsigned dpl = 0;
  bool readable = true;
  bool conforming = false;
  bool present = true;
  bool avl = false;  ///< free for software
  bool accessed = true;
  friend constexpr bool operator==(const Code64& a, const Code64& b) {
    return a.dpl == b.dpl && a.readable == b.readable && a.conforming == b.conforming &&
           a.present == b.present && a.avl == b.avl;
  }
};

/// A data or stack segment with B clear (16: a stack uses SP) or set (32: ESP). In an expand-down
/// segment the offsets *above* the limit are inside, up to 0xFFFF or, with B, 0xFFFFFFFF.
template <unsigned kBits>
struct DataSegment {
  Gva base{};
  std::uint32_t limit = kBits == 16 ? 0xFFFF : 0xFFFF'FFFF;
  unsigned dpl = 0;
  bool writable = true;
  bool expand_down = false;
  bool present = true;
  bool avl = false;          ///< free for software
  bool granularity = false;  ///< G
  bool accessed = true;
  friend constexpr bool operator==(const DataSegment& a, const DataSegment& b) {
    return a.base == b.base && a.limit == b.limit && a.dpl == b.dpl && a.writable == b.writable &&
           a.expand_down == b.expand_down && a.present == b.present && a.avl == b.avl &&
           counts_4kib(a.limit, a.granularity) == counts_4kib(b.limit, b.granularity);
  }
};
using Data16 = DataSegment<16>;
using Data32 = DataSegment<32>;

/// An LDT: 16 bytes in IA-32e mode.
struct Ldt {
  Gva base{};
  std::uint32_t limit = 0;
  unsigned dpl = 0;
  bool present = true;
  bool avl = false;          ///< free for software
  bool granularity = false;  ///< G
  friend constexpr bool operator==(const Ldt& a, const Ldt& b) {
    return a.base == b.base && a.limit == b.limit && a.dpl == b.dpl && a.present == b.present &&
           a.avl == b.avl &&
           counts_4kib(a.limit, a.granularity) == counts_4kib(b.limit, b.granularity);
  }
};

/// A TSS. In IA-32e mode only the 64-bit one exists, with a descriptor of 16 bytes (SDM vol. 3,
/// 8.2.3).
template <unsigned kBits>
struct TaskStateSegment {
  Gva base{};
  std::uint32_t limit = kBits == 16 ? 43 : 103;  ///< the smallest (SDM vol. 3, 8.2.1 and 8.6)
  unsigned dpl = 0;
  bool busy = false;
  bool present = true;
  bool avl = false;          ///< free for software
  bool granularity = false;  ///< G
  friend constexpr bool operator==(const TaskStateSegment& a, const TaskStateSegment& b) {
    return a.base == b.base && a.limit == b.limit && a.dpl == b.dpl && a.busy == b.busy &&
           a.present == b.present && a.avl == b.avl &&
           counts_4kib(a.limit, a.granularity) == counts_4kib(b.limit, b.granularity);
  }
};
using Tss16 = TaskStateSegment<16>;
using Tss32 = TaskStateSegment<32>;
using Tss64 = TaskStateSegment<64>;

/// SDM vol. 3, 5.8.3. In IA-32e mode only the 64-bit one exists, of 16 bytes and without
/// parameters.
template <unsigned kBits>
struct CallGate {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
  unsigned parameters = 0;  ///< words or doublewords to copy: 0 to 31
  unsigned dpl = 0;
  bool present = true;
  friend bool operator==(const CallGate&, const CallGate&) = default;
};
using CallGate16 = CallGate<16>;
using CallGate32 = CallGate<32>;
using CallGate64 = CallGate<64>;

/// An entry of the IDT (SDM vol. 3, 6.11 and 6.14.1): an interrupt gate clears IF, a trap gate does
/// not. Only the 64-bit ones, of 16 bytes, have an IST.
template <unsigned kBits, bool kClearsIf>
struct IdtGateOf {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
  unsigned dpl = 0;
  unsigned ist = 0;  ///< 0: none; 1 to 7
  bool present = true;
  friend bool operator==(const IdtGateOf&, const IdtGateOf&) = default;
};
using InterruptGate16 = IdtGateOf<16, true>;
using InterruptGate32 = IdtGateOf<32, true>;
using InterruptGate64 = IdtGateOf<64, true>;
using TrapGate16 = IdtGateOf<16, false>;
using TrapGate32 = IdtGateOf<32, false>;
using TrapGate64 = IdtGateOf<64, false>;

/// SDM vol. 3, 8.2.5.
struct TaskGate {
  std::uint16_t selector = 0;
  unsigned dpl = 0;
  bool present = true;
  friend bool operator==(const TaskGate&, const TaskGate&) = default;
};

/// An entry of the real-mode IVT: CS:IP of a handler (SDM vol. 3, 21.1.4).
struct IvtEntry {
  std::uint16_t cs = 0;
  std::uint16_t ip = 0;
  friend bool operator==(const IvtEntry&, const IvtEntry&) = default;
};

/// Eight zeros.
struct NullDescriptor {
  friend bool operator==(const NullDescriptor&, const NullDescriptor&) = default;
};

/// The bytes of a type that the SDM reserves, of L and D both set, or of a 16-byte descriptor whose
/// bits 12:8 of the last doubleword are not 0. Encoding one puts any bytes into a table, whatever
/// they mean: that is what `RawDescriptor` is for.
struct ReservedDescriptor {
  std::uint64_t low = 0;   ///< the first 8 bytes
  std::uint64_t high = 0;  ///< the next 8, where the descriptor has 16
  friend bool operator==(const ReservedDescriptor&, const ReservedDescriptor&) = default;
};

using RawDescriptor = ReservedDescriptor;

using Descriptor = std::variant<NullDescriptor, Code16, Code32, Code64, Data16, Data32, Ldt, Tss16,
                                Tss32, Tss64, CallGate16, CallGate32, CallGate64, InterruptGate16,
                                InterruptGate32, InterruptGate64, TrapGate16, TrapGate32,
                                TrapGate64, TaskGate, IvtEntry, ReservedDescriptor>;

/// The format of a table's system descriptors: in IA-32e mode (EFER.LMA = 1) they have 16 bytes.
enum class DescriptorFormat { kLegacy, kIa32e };

/// A descriptor that no 8 or 16 bytes can express, or that the format lacks.
class DescriptorError : public Error {
 public:
  using Error::Error;
};

/// The bytes of a descriptor: `low` are the first 8, `high` the next if it has 16.
struct EncodedDescriptor {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool is_16_bytes = false;
};

/// Throws `DescriptorError`, also for an `IvtEntry`.
EncodedDescriptor encode(const Descriptor& descriptor, DescriptorFormat format);

/// How the processor reads these bytes; `high` is ignored if the descriptor has only 8.
Descriptor decode_descriptor(std::uint64_t low, std::uint64_t high, DescriptorFormat format);

/// True if a descriptor with this first half has 16 bytes.
bool has_16_bytes(std::uint64_t low, DescriptorFormat format);

/// One property of a descriptor in words: `limit`, `0xfffff`.
struct DescriptorField {
  std::string name;
  std::string value;
};

/// The first is `form`: `32-bit code segment`.
std::vector<DescriptorField> describe_fields(const Descriptor& descriptor);

/// In one line: `32-bit code segment, base 0x0, limit 0xfffff, DPL 0, readable, present`.
std::string to_string(const Descriptor& descriptor);

}  // namespace hltest
