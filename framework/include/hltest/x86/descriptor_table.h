#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <hltest/x86/descriptor.h>
#include <hltest/x86/linear_reader.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/segment.h>
#include <hltest/x86/vector.h>

namespace hltest {

/// The format of the descriptor tables in the mode of these registers.
DescriptorFormat descriptor_format(const Registers& registers);

/// The size in bytes of a gate of the IDT, or of an entry of the real-mode IVT.
unsigned gate_size(const Registers& registers);

/// Whether a selector's table indicator (TI) is that of the LDT.
constexpr bool is_in_ldt(std::uint16_t selector) { return (selector & 4U) != 0; }

/// A GDT or LDT to be built. Of a selector only the index counts: RPL and TI are ignored.
class DescriptorTableBuilder {
 public:
  explicit DescriptorTableBuilder(DescriptorFormat format) : format_(format) {}

  /// Sets or replaces an entry; a `RawDescriptor` may be any bytes. Throws `DescriptorError` for a
  /// descriptor that can't be encoded, or that shares bytes with a 16-byte one beside it.
  void set(std::uint16_t selector, const Descriptor& descriptor);

  /// What a load of `selector` makes of its entry: of a segment register, or for a TSS (which
  /// becomes busy) and an LDT of TR and LDTR. Nothing for any other entry, or one not present.
  [[nodiscard]] std::optional<Segment> segment(std::uint16_t selector) const;

  /// True if no entry was set.
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The offset of the last byte: the limit for the table's register.
  [[nodiscard]] std::uint16_t limit() const;
  /// The bytes of the table; 0 for entries that were not set.
  [[nodiscard]] std::vector<std::uint8_t> bytes() const;

 private:
  DescriptorFormat format_;
  std::map<std::uint16_t, EncodedDescriptor> entries_;  // by offset
};

/// Reads a guest's descriptor tables as the processor does.
class DescriptorReader {
 public:
  /// For the tables that `registers` point to.
  DescriptorReader(const Registers& registers, LinearReader read);

  /// The entry of the GDT or, by the selector's TI, LDT. Nothing if any of its 8 or 16 bytes is
  /// beyond the limit of the table, or not in memory.
  [[nodiscard]] std::optional<Descriptor> descriptor(std::uint16_t selector) const;
  /// The entry of the IDT or, in real mode, of the IVT; nothing if it is beyond the limit or not in
  /// memory.
  [[nodiscard]] std::optional<Descriptor> gate(Vector vector) const;

  /// GDT, LDT and IDT, a line each entry that is not null.
  [[nodiscard]] std::string to_string() const;

 private:
  [[nodiscard]] Gva address(Gva base, std::uint64_t offset) const;
  [[nodiscard]] std::optional<Descriptor> entry(Gva base, std::uint64_t limit, std::uint64_t offset,
                                                std::uint64_t size) const;

  Registers registers_;
  LinearReader read_;
};

}  // namespace hltest
