#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/descriptor.h>
#include <hltest/x86/mapped_ranges.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

namespace hltest {

namespace internal {
class Backing;
}

/// What CPUID says of the paging of a processor.
struct PagingFeatures {
  /// MAXPHYADDR (leaf 80000008H): address bits of an entry from there on are reserved.
  unsigned physical_bits = 52;
  /// Pages of 1 GiB (leaf 80000001H, EDX.Page1GB).
  bool gigabyte_pages = true;
};

/// The tables that registers point to in a guest's memory: page tables, GDT, LDT and IDT, decoded
/// as the processor would read them. A value, good for as long as it is kept.
class GuestTables {
 public:
  GuestTables(const Registers& registers, std::shared_ptr<const internal::Backing> memory,
              const PagingFeatures& features = {})
      : registers_(registers), memory_(std::move(memory)), features_(features) {}

  /// The way from a linear to a physical address, level by level.
  [[nodiscard]] PageWalk walk(Gva gva) const;
  /// Where a linear address is in physical memory, behind the A20 gate; nothing where it is not
  /// mapped.
  [[nodiscard]] std::optional<Gpa> translate(Gva gva) const;
  /// All that is mapped, as merged ranges. Printed with `to_string`.
  [[nodiscard]] MappedRanges mapped_ranges() const;

  /// Bytes from a linear address on: fewer where they are not mapped or not in memory.
  [[nodiscard]] std::vector<std::uint8_t> read(Gva gva, std::size_t count) const;
  /// The same from a physical address on.
  [[nodiscard]] std::vector<std::uint8_t> read_physical(Gpa gpa, std::size_t count) const;
  /// True when memory backs a physical address.
  [[nodiscard]] bool is_backed(Gpa gpa) const;

  /// The segment descriptor for a selector (GDT or, by its TI, LDT); nothing beyond the limit.
  [[nodiscard]] std::optional<Descriptor> descriptor(std::uint16_t selector) const;
  /// The IDT's gate, or in real mode the IVT's entry; nothing beyond the limit.
  [[nodiscard]] std::optional<Descriptor> gate(Vector vector) const;
  /// GDT, LDT and IDT in lines, without entries that are null.
  [[nodiscard]] std::string describe_descriptors() const;

  [[nodiscard]] const Registers& registers() const { return registers_; }

 private:
  [[nodiscard]] PagingContext context() const;

  Registers registers_;
  std::shared_ptr<const internal::Backing> memory_;
  PagingFeatures features_;
};

/// In one line: the paging mode, and where the tables are.
std::string to_string(const GuestTables& tables);

}  // namespace hltest
