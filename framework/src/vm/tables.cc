#include <hltest/tables.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <hltest/x86/descriptor_table.h>

#include "vm/backing.h"

namespace hltest {
namespace {

PhysicalReader physical_reader(const internal::Backing& memory) {
  return [&memory](Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const std::span bytes{reinterpret_cast<std::uint8_t*>(&value), size};
    return memory.read(gpa, bytes) == size ? std::optional{value} : std::nullopt;
  };
}

DescriptorReader descriptors(const GuestTables& tables) {
  return {tables.registers(),
          [&tables](Gva gva, std::size_t count) { return tables.read(gva, count); }};
}

}  // namespace

PagingContext GuestTables::context() const {
  PagingContext context = paging_context(registers_);
  context.physical_bits = features_.physical_bits;
  context.gigabyte_pages = features_.gigabyte_pages;
  return context;
}

PageWalk GuestTables::walk(Gva gva) const {
  return walk_pages(context(), gva, physical_reader(*memory_));
}

std::optional<Gpa> GuestTables::translate(Gva gva) const {
  const PageWalk found = walk(gva);
  return found.translated() ? std::optional{memory_->through_a20(found.gpa)} : std::nullopt;
}

MappedRanges GuestTables::mapped_ranges() const {
  return hltest::mapped_ranges(context(), physical_reader(*memory_));
}

std::vector<std::uint8_t> GuestTables::read(Gva gva, std::size_t count) const {
  constexpr std::uint64_t kPage = 4 * kKiB;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const Gva at = gva + bytes.size();
    const std::optional<Gpa> gpa = translate(at);
    if (!gpa.has_value()) break;
    const std::uint64_t length =
        std::min<std::uint64_t>(count - bytes.size(), kPage - at.value() % kPage);
    const std::vector<std::uint8_t> part = memory_->read(*gpa, length);
    bytes.insert(bytes.end(), part.begin(), part.end());
    if (part.size() < length) break;
  }
  return bytes;
}

std::vector<std::uint8_t> GuestTables::read_physical(Gpa gpa, std::size_t count) const {
  return memory_->read(gpa, count);
}

bool GuestTables::is_backed(Gpa gpa) const { return memory_->is_backed(gpa); }

std::optional<Descriptor> GuestTables::descriptor(std::uint16_t selector) const {
  return descriptors(*this).descriptor(selector);
}

std::optional<Descriptor> GuestTables::gate(Vector vector) const {
  return descriptors(*this).gate(vector);
}

std::string GuestTables::describe_descriptors() const { return descriptors(*this).to_string(); }

std::string to_string(const GuestTables& tables) {
  const Registers& registers = tables.registers();
  const PagingMode mode = paging_mode(registers);
  return fmt::format(
      "{}{}, GDT at {} limit {:#x}, IDT at {} limit {:#x}", to_string(mode),
      mode == PagingMode::kNone ? "" : fmt::format(" (CR3 {:#x})", registers.cr3.value),
      to_string(registers.gdt.base), registers.gdt.limit, to_string(registers.idt.base),
      registers.idt.limit);
}

}  // namespace hltest
