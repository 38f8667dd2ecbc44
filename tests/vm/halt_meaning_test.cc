// What the handlers' stack says of the guest, on stacks made by hand: not every KVM can run a guest
// that makes them.
#include "vm/halt_meaning.h"

#include <gtest/gtest.h>

#include <hltest/memory_layout.h>

#include <cstring>

namespace {

using namespace hltest;

constexpr Gva kHandlers{0xF0000000};
constexpr std::uint64_t kStack = 0x8000;

// The handler for `vector` has just executed its HLT, in 32-bit protected mode.
Registers at_handler(Vector vector) {
  Registers registers;
  registers.cr0.value = Cr0::kPe | Cr0::kEt;
  registers.set_all_segments(Segment::flat_data(kDataSelector));
  registers.cs = Segment::flat_code32(kCode32Selector);
  registers.rip = kHandlers.value() + static_cast<std::uint64_t>(vector) + 1;
  registers.rsp = kStack;
  return registers;
}

// From virtual-8086 mode the processor pushes all data segments (SDM vol. 3, 20.3.1).
TEST(HaltMeaningTest, AnExceptionFromVirtual8086ModeRestoresEachSegment) {
  constexpr std::uint32_t kEflags = Rflags::kVm | 2;
  // EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS
  const std::vector<std::uint32_t> frame = {0x0102, 0x2000, kEflags, 0xFFF0, 0x1500,
                                            0x10,   0x20,   0x30,    0x40};
  const auto read = [&frame](Gva gva, std::size_t count) -> std::vector<std::uint8_t> {
    const std::uint64_t offset = gva.value() - kStack;
    if (gva.value() < kStack || offset + count > frame.size() * 4) return {};
    std::vector<std::uint8_t> bytes(count);
    std::memcpy(bytes.data(), reinterpret_cast<const std::uint8_t*>(frame.data()) + offset, count);
    return bytes;
  };
  const Registers at_exit = at_handler(Vector::kDivideError);

  const auto [reason, registers] = internal::interpret_halt(at_exit, at_exit, kHandlers, read);

  const auto* const exception = std::get_if<Exception>(&reason);
  ASSERT_NE(exception, nullptr);
  EXPECT_EQ(exception->vector, Vector::kDivideError);
  EXPECT_EQ(registers.rip, 0x0102U);
  EXPECT_EQ(registers.rsp, 0xFFF0U);
  EXPECT_EQ(registers.cs.selector, 0x2000);
  EXPECT_EQ(registers.ss.base, Gva{0x15000});
  EXPECT_EQ(registers.es.selector, 0x10);
  EXPECT_EQ(registers.ds.selector, 0x20);
  EXPECT_EQ(registers.fs.selector, 0x30);
  EXPECT_EQ(registers.gs.selector, 0x40);
  EXPECT_EQ(registers.gs.base, Gva{0x400});
}

// The GDT's limit is the offset of its last byte: its last descriptor counts.
TEST(HaltMeaningTest, TheLastDescriptorOfTheGdtIsRead) {
  constexpr std::uint64_t kGdt = 0x9000;
  constexpr std::uint16_t kLast = 0x10;
  const std::vector<std::uint32_t> frame = {0x0102, kLast, 2};  // EIP, CS, EFLAGS
  // Base 12340000h, limit FFFFFh, granularity, 32 bits, code.
  const std::vector<std::uint8_t> descriptor = {0xFF, 0xFF, 0, 0, 0x34, 0x9A, 0xCF, 0x12};
  const auto read = [&](Gva gva, std::size_t count) -> std::vector<std::uint8_t> {
    if (gva == Gva{kGdt + kLast} && count == 8) return descriptor;
    const std::uint64_t offset = gva.value() - kStack;
    if (gva.value() < kStack || offset + count > frame.size() * 4) return {};
    std::vector<std::uint8_t> bytes(count);
    std::memcpy(bytes.data(), reinterpret_cast<const std::uint8_t*>(frame.data()) + offset, count);
    return bytes;
  };
  Registers at_exit = at_handler(Vector::kDivideError);
  at_exit.gdt = {.base = Gva{kGdt}, .limit = kLast + 7};
  EXPECT_EQ(internal::interpret_halt(at_exit, at_exit, kHandlers, read).registers.cs.base,
            Gva{0x12340000});
  at_exit.gdt.limit = kLast + 6;
  EXPECT_EQ(internal::interpret_halt(at_exit, at_exit, kHandlers, read).registers.cs.base, Gva{0});
}

}  // namespace
