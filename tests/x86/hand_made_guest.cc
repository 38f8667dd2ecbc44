#include "hand_made_guest.h"
#include <gmock/gmock.h>

#include <algorithm>

using namespace hltest;
using namespace hltest::internal;

HandMadeGuest::HandMadeGuest() {
  registers.cr0.value = Cr0::kPe;
  registers.set_all_segments(Segment::flat_data(0x10));
  registers.cs = Segment::flat_code32(0x08);
  registers.tr = Segment::task_state(0x28, Gva{kTss}, 103);
  registers.ldt = Segment::null_ldt();
  registers.gdt = {Gva{kGdt}, 0x7F};
  registers.idt = {Gva{kIdt}, 0xFFF};
  registers.rip = kCode;
  registers.rsp = kStack;
  put_descriptor(0x08, Code32{});
  put_descriptor(0x10, Data32{});
  put_descriptor(0x18, Code32{.dpl = 3});
  put_descriptor(0x20, Data32{.dpl = 3});
}

void HandMadeGuest::enter_64_bit() {
  registers.cr0.value = Cr0::kPe | Cr0::kPg;
  registers.cr4.value = Cr4::kPae;
  registers.efer.value = Efer::kLme | Efer::kLma;
  registers.cs = Segment::code64(0x08);
  put_descriptor(0x08, Code64{});
  put_descriptor(0x18, Code64{.dpl = 3});
}

void HandMadeGuest::enter_cpl_3() {
  registers.cs = registers.cs.l ? Segment::code64(0x1B) : Segment::flat_code32(0x1B);
  registers.ss = Segment::flat_data(0x23);
}

void HandMadeGuest::put(std::uint64_t address, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    memory.at(address + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void HandMadeGuest::put_code(const std::vector<std::uint8_t>& bytes) {
  std::ranges::copy(bytes, memory.begin() + kCode);
}

void HandMadeGuest::put_descriptor(std::uint16_t selector, const Descriptor& descriptor) {
  const EncodedDescriptor encoded = encode(descriptor, descriptor_format(registers));
  put(kGdt + selector, encoded.low, 8);
  if (encoded.is_16_bytes) put(kGdt + selector + 8, encoded.high, 8);
}

void HandMadeGuest::put_gate(Vector vector, const Descriptor& gate) {
  const EncodedDescriptor encoded = encode(gate, descriptor_format(registers));
  const std::uint64_t at = kIdt + static_cast<std::uint64_t>(vector) * gate_size(registers);
  put(at, encoded.low, 8);
  if (encoded.is_16_bytes) put(at + 8, encoded.high, 8);
}

std::vector<std::uint8_t> HandMadeGuest::read(std::uint64_t address, std::size_t count) const {
  if (address >= memory.size()) return {};
  const auto begin = memory.begin() + static_cast<std::ptrdiff_t>(address);
  const std::size_t length = std::min(count, memory.size() - address);
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

PageWalk HandMadeGuest::walk(Gva gva) const {
  PagingContext context = paging_context(registers);
  context.gigabyte_pages = features.gigabyte_pages;
  context.physical_bits = features.physical_bits;
  return walk_pages(context, gva, [this](Gpa gpa, unsigned size) -> std::optional<std::uint64_t> {
    const std::vector<std::uint8_t> bytes = read(gpa.value(), size);
    if (bytes.size() != size) return std::nullopt;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
  });
}

std::string HandMadeGuest::cause(Vector vector, std::optional<std::uint32_t> error_code,
                                 Gva address) const {
  return fault_cause(
      {.vector = vector,
       .error_code = error_code,
       .address = address,
       .registers = registers,
       .walk = [this](Gva gva) { return walk(gva); },
       .read = [this](Gva gva, std::size_t n) { return read(gva.value(), n); },
       .read_physical = [this](Gpa gpa, std::size_t n) { return read(gpa.value(), n); }});
}

void expect_cause(const CauseCase& each) {
  HandMadeGuest guest;
  guest.put_code(each.code);
  if (each.arrange) each.arrange(guest);
  const std::string cause = guest.cause(each.vector, each.error_code, each.address);
  if (each.cause.empty()) {
    EXPECT_EQ(cause, "");
  } else {
    EXPECT_THAT(cause, ::testing::EndsWith(each.cause));
  }
}
