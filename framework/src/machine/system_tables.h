#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/mapped_ranges.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/registers.h>
#include "machine/guest_memory.h"

namespace hltest {

/// The tables that registers point to in a guest's memory: page tables, GDT, LDT and IDT, decoded
/// as the processor would read them now. To be used while the memory lives.
class SystemTables {
 public:
  /// `physical_bits` is MAXPHYADDR: address bits of an entry from there on are reserved.
  SystemTables(const Registers& registers, const GuestMemory& memory, unsigned physical_bits = 52)
      : registers_(registers), memory_(&memory), physical_bits_(physical_bits) {}

  /// The way from a linear to a physical address, level by level.
  [[nodiscard]] PageWalk walk(Gva gva) const { return walker()(gva); }
  /// The same for many addresses, as long as nobody resizes the memory.
  [[nodiscard]] std::function<PageWalk(Gva gva)> walker() const;
  /// Where a linear address is in physical memory; nothing where it is not mapped.
  [[nodiscard]] std::optional<Gpa> translate(Gva gva) const;
  /// All that is mapped, as merged ranges. Printed with `to_string`.
  [[nodiscard]] MappedRanges mapped_ranges() const;

  /// Bytes from a linear address on: fewer where they are not mapped or not in memory.
  [[nodiscard]] std::vector<std::uint8_t> read(Gva gva, std::size_t count) const;

  /// The segment descriptor for a selector (GDT or, by its TI, LDT); nothing beyond the limit.
  [[nodiscard]] std::optional<Descriptor> descriptor(std::uint16_t selector) const;
  /// The IDT's gate, or in real mode the IVT's entry; nothing beyond the limit.
  [[nodiscard]] std::optional<Descriptor> gate(Vector vector) const;
  /// GDT, LDT and IDT, to be printed with `to_string()`.
  [[nodiscard]] DescriptorReader descriptors() const;

  [[nodiscard]] const Registers& registers() const { return registers_; }

 private:
  [[nodiscard]] PagingContext context() const;

  Registers registers_;
  const GuestMemory* memory_;
  unsigned physical_bits_;
};

/// In one line: the paging mode, and where the tables are.
std::string to_string(const SystemTables& tables);

}  // namespace hltest
