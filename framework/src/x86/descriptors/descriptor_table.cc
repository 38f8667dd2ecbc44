#include <hltest/x86/descriptor_table.h>
#include "x86/registers/read_number.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <utility>

namespace hltest {

using namespace internal;
namespace {

constexpr std::uint16_t kIndex = 0xFFF8;
constexpr unsigned kEntry = 8;

std::uint64_t size_of(const EncodedDescriptor& entry) {
  return entry.is_16_bytes ? 2 * kEntry : kEntry;
}

constexpr std::uint8_t kBusy = 2;

// Available or busy, of 16 bits or of 32 and 64 (SDM vol. 3, table 3-2).
bool is_task_state(const Segment& segment) { return (segment.type & 5U) == 1; }

}  // namespace

DescriptorFormat descriptor_format(const Registers& registers) {
  return registers.efer.lma() ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
}

unsigned gate_size(const Registers& registers) {
  if (!registers.cr0.pe()) return 4;
  return descriptor_format(registers) == DescriptorFormat::kIa32e ? 16 : 8;
}

void DescriptorTableBuilder::set(std::uint16_t selector, const Descriptor& descriptor) {
  const std::uint16_t offset = selector & kIndex;
  const EncodedDescriptor encoded = encode(descriptor, format_);
  for (const auto& [other, entry] : entries_) {
    if (other == offset) continue;
    if (offset < other + size_of(entry) && other < offset + size_of(encoded)) {
      throw DescriptorError(fmt::format(
          "the {} at {:#x} shares bytes with the entry at {:#x}: one of them has 16 bytes",
          describe_fields(descriptor).front().value, offset, other));
    }
  }
  if (offset + size_of(encoded) > 0x10000) {
    throw DescriptorError(fmt::format("the {} at {:#x} reaches beyond the largest table",
                                      describe_fields(descriptor).front().value, offset));
  }
  entries_[offset] = encoded;
}

std::optional<Segment> DescriptorTableBuilder::segment(std::uint16_t selector) const {
  const auto found = entries_.find(selector & kIndex);
  if (found == entries_.end()) return std::nullopt;
  const EncodedDescriptor& entry = found->second;
  Segment loaded = segment_from_descriptor(entry.low, selector);
  if (!loaded.present) return std::nullopt;
  if (loaded.s) return loaded;
  if (!is_task_state(loaded) && loaded.type != Segment::kLdt) return std::nullopt;
  if (entry.is_16_bytes) loaded.base = loaded.base + (entry.high << 32U);
  if (is_task_state(loaded)) loaded.type |= kBusy;
  return loaded;
}

std::uint16_t DescriptorTableBuilder::limit() const {
  if (entries_.empty()) return 0;
  const auto& [offset, entry] = *entries_.rbegin();
  return static_cast<std::uint16_t>(offset + size_of(entry) - 1);
}

std::vector<std::uint8_t> DescriptorTableBuilder::bytes() const {
  std::vector<std::uint8_t> bytes;
  for (const auto& [offset, entry] : entries_) {
    bytes.resize(offset + size_of(entry));
    std::memcpy(bytes.data() + offset, &entry.low, sizeof entry.low);
    if (entry.is_16_bytes) {
      std::memcpy(bytes.data() + offset + kEntry, &entry.high, sizeof entry.high);
    }
  }
  return bytes;
}

DescriptorReader::DescriptorReader(const Registers& registers, LinearReader read)
    : registers_(registers), read_(std::move(read)) {}

// Outside IA-32e mode linear addresses wrap at 4 GiB.
Gva DescriptorReader::address(Gva base, std::uint64_t offset) const {
  const std::uint64_t linear = base.value() + offset;
  return Gva{registers_.efer.lma() ? linear : linear & 0xFFFF'FFFF};
}

std::optional<Descriptor> DescriptorReader::entry(Gva base, std::uint64_t limit,
                                                  std::uint64_t offset, std::uint64_t size) const {
  if (offset + size - 1 > limit) return std::nullopt;
  const DescriptorFormat format = descriptor_format(registers_);
  const std::vector<std::uint8_t> bytes = read_(address(base, offset), size);
  if (bytes.size() != size) return std::nullopt;
  const std::uint64_t low = little_endian(bytes);
  std::uint64_t high = size > kEntry ? little_endian(std::span{bytes}.subspan(kEntry)) : 0;
  if (size == kEntry && has_16_bytes(low, format)) {
    if (offset + kEntry + kEntry - 1 > limit) return std::nullopt;
    const auto upper = read_number(read_, address(base, offset + kEntry), kEntry);
    if (!upper) return std::nullopt;
    high = *upper;
  }
  return decode_descriptor(low, high, format);
}

std::optional<Descriptor> DescriptorReader::descriptor(std::uint16_t selector) const {
  const std::uint64_t offset = selector & kIndex;
  if (!is_in_ldt(selector)) {
    return entry(registers_.gdt.base, registers_.gdt.limit, offset, kEntry);
  }
  if (registers_.ldt.unusable) return std::nullopt;
  return entry(registers_.ldt.base, registers_.ldt.limit, offset, kEntry);
}

std::optional<Descriptor> DescriptorReader::gate(Vector vector) const {
  const auto number = static_cast<std::uint64_t>(vector);
  const DescriptorTableRegister& idt = registers_.idt;
  if (registers_.cr0.pe()) {
    const std::uint64_t size = gate_size(registers_);
    return entry(idt.base, idt.limit, number * size, size);
  }
  if (number * 4 + 3 > idt.limit) return std::nullopt;
  const auto cs_ip = read_number(read_, idt.base + number * 4, 4);
  if (!cs_ip) return std::nullopt;
  return IvtEntry{.cs = static_cast<std::uint16_t>(*cs_ip >> 16U),
                  .ip = static_cast<std::uint16_t>(*cs_ip)};
}

std::string DescriptorReader::to_string() const {
  std::string text;
  const auto out = std::back_inserter(text);
  const DescriptorFormat format = descriptor_format(registers_);
  const auto add_segments = [&](const char* name, Gva base, std::uint64_t limit,
                                std::uint16_t indicator) {
    for (std::uint32_t offset = 0; offset + kEntry - 1 <= std::min<std::uint64_t>(limit, 0xFFFF);) {
      const auto low = read_number(read_, address(base, offset), kEntry);
      if (!low) break;
      const auto selector = static_cast<std::uint16_t>(offset | indicator);
      const std::optional<Descriptor> found = descriptor(selector);
      if (!found) {
        fmt::format_to(out, "{} {:#06x}  16 bytes, of which the table's limit cuts off some\n",
                       name, selector);
        break;
      }
      if (!std::holds_alternative<NullDescriptor>(*found)) {
        fmt::format_to(out, "{} {:#06x}  {}\n", name, selector, hltest::to_string(*found));
      }
      offset += has_16_bytes(*low, format) ? 2 * kEntry : kEntry;
    }
  };
  add_segments("GDT", registers_.gdt.base, registers_.gdt.limit, 0);
  if (!registers_.ldt.unusable) {
    add_segments("LDT", registers_.ldt.base, registers_.ldt.limit, 4);
  }
  for (unsigned vector = 0; vector < 256; ++vector) {
    const std::optional<Descriptor> found = gate(static_cast<Vector>(vector));
    if (!found || std::holds_alternative<NullDescriptor>(*found)) continue;
    fmt::format_to(out, "IDT {:#04x}    {}\n", vector, hltest::to_string(*found));
  }
  return text;
}

}  // namespace hltest
