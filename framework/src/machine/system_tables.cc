#include "machine/system_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace hltest {
namespace {

auto physical_reader(const GuestMemory& memory) {
  return [regions = memory.regions()](Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
    for (const MemoryRegion& region : regions) {
      if (gpa < region.base || gpa - region.base + size > region.bytes.size()) continue;
      std::uint64_t value = 0;
      std::memcpy(&value, region.bytes.subspan(gpa - region.base).data(), size);
      return value;
    }
    return std::nullopt;
  };
}

}  // namespace

PagingContext SystemTables::context() const {
  PagingContext context = paging_context(registers_);
  context.physical_bits = physical_bits_;
  return context;
}

std::function<PageWalk(Gva gva)> SystemTables::walker() const {
  return [context = context(), read = PhysicalReader{physical_reader(*memory_)}](Gva gva) {
    return walk_pages(context, gva, read);
  };
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it loses sight of what std::function owns

std::optional<Gpa> SystemTables::translate(Gva gva) const {
  const PageWalk found = walk(gva);
  return found.translated() ? std::optional{found.gpa} : std::nullopt;
}

MappedRanges SystemTables::mapped_ranges() const {
  return hltest::mapped_ranges(context(), physical_reader(*memory_));
}

std::vector<std::uint8_t> SystemTables::read(Gva gva, std::size_t count) const {
  constexpr std::uint64_t kPage = 4 * kKiB;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const Gva at = gva + bytes.size();
    const std::optional<Gpa> gpa = translate(at);
    if (!gpa.has_value() || !memory_->is_backed(*gpa)) break;
    const std::uint64_t length =
        std::min<std::uint64_t>(count - bytes.size(), kPage - at.value() % kPage);
    const std::vector<std::uint8_t> part = memory_->read_bytes(*gpa, length);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

DescriptorReader SystemTables::descriptors() const {
  return {registers_,
          [tables = *this](Gva gva, std::size_t count) { return tables.read(gva, count); }};
}

std::optional<Descriptor> SystemTables::descriptor(std::uint16_t selector) const {
  return descriptors().descriptor(selector);
}

std::optional<Descriptor> SystemTables::gate(Vector vector) const {
  return descriptors().gate(vector);
}

std::string to_string(const SystemTables& tables) {
  const Registers& registers = tables.registers();
  const PagingMode mode = paging_mode(registers);
  return fmt::format(
      "{}{}, GDT at {} limit {:#x}, IDT at {} limit {:#x}", to_string(mode),
      mode == PagingMode::kNone ? "" : fmt::format(" (CR3 {:#x})", registers.cr3.value),
      to_string(registers.gdt.base), registers.gdt.limit, to_string(registers.idt.base),
      registers.idt.limit);
}

}  // namespace hltest
