// Which HLT is a handler for what, and which bytes before an exception are the instruction that
// asked for it: on stacks made by hand.
#include "vm/halt_meaning.h"

#include <gtest/gtest.h>

#include <hltest/memory_layout.h>

#include <cstring>

namespace {

using namespace hltest;
using internal::HaltMeaning;
using internal::interpret_halt;

constexpr Gva kHandlers{0xF000'0000};
constexpr std::uint64_t kStack = 0x8000;

// In 32-bit protected mode, after the HLT at this offset from the handlers on.
Registers after_hlt_at(std::uint64_t offset) {
  Registers registers;
  registers.cr0.value = Cr0::kPe | Cr0::kEt;
  registers.set_all_segments(Segment::flat_data(kDataSelector));
  registers.cs = Segment::flat_code32(kCode32Selector);
  registers.rip = kHandlers.value() + offset + 1;
  registers.rsp = kStack;
  return registers;
}

HaltMeaning meaning_of(const Registers& registers) {
  return interpret_halt(registers, registers, kHandlers,
                        [](Gva, std::size_t) { return std::vector<std::uint8_t>{}; });
}

std::string name_at(std::uint64_t offset) { return name(meaning_of(after_hlt_at(offset)).reason); }

TEST(HandlerLimitsTest, The256HandlersOfVectorsAndThoseOfSystemCalls) {
  for (const std::uint64_t vector : {0U, 13U, 255U}) {
    const HaltMeaning meaning = meaning_of(after_hlt_at(vector));
    const auto* const exception = std::get_if<Exception>(&meaning.reason);
    ASSERT_NE(exception, nullptr) << vector;
    EXPECT_EQ(static_cast<std::uint64_t>(exception->vector), vector);
  }
  for (const auto& [offset, instruction] :
       {std::pair{0x100U, SystemCall::Instruction::kSyscall},
        std::pair{0x101U, SystemCall::Instruction::kSyscall},
        std::pair{0x102U, SystemCall::Instruction::kSysenter}}) {
    const HaltMeaning meaning = meaning_of(after_hlt_at(offset));
    const auto* const call = std::get_if<SystemCall>(&meaning.reason);
    ASSERT_NE(call, nullptr) << offset;
    EXPECT_EQ(call->instruction, instruction);
  }
  const std::string halted = name(StopReason{Halt{}});
  EXPECT_EQ(name_at(0x103), halted);
  EXPECT_EQ(name_at(~0ULL), halted) << "the byte before the handlers";
}

TEST(HandlerLimitsTest, InRealModeThereAreNoSystemCalls) {
  for (const std::uint64_t offset : {0x100U, 0x101U, 0x102U}) {
    Registers registers = after_hlt_at(offset);
    registers.cr0.value = 0;
    EXPECT_EQ(name(meaning_of(registers).reason), name(StopReason{Halt{}}));
  }
}

TEST(HandlerLimitsTest, SyscallLeavesRflagsInR11InIa32eModeOnly) {
  Registers registers = after_hlt_at(kSyscallOffset);
  registers.rcx = 0x1234;
  registers.r11 = 0x0202;
  registers.rflags.value = 2;
  EXPECT_EQ(meaning_of(registers).registers.rip, 0x1234U);
  EXPECT_EQ(meaning_of(registers).registers.rflags.value, 2U);
  registers.efer.value = Efer::kLma;
  EXPECT_EQ(meaning_of(registers).registers.rflags.value, 0x202U);
}

constexpr std::uint64_t kCode = 0x1000;

// An exception whose frame says kCode + 2, with these bytes there from kCode on.
Exception exception_after(Vector vector, const std::vector<std::uint8_t>& code,
                          std::uint32_t eflags = 2, std::uint32_t pushed_first = kCode + 2) {
  std::vector<std::uint32_t> frame = {pushed_first, kCode32Selector, eflags};
  if (pushed_first != kCode + 2) frame.insert(frame.begin() + 1, kCode + 2);
  const auto read = [&](Gva gva, std::size_t count) {
    std::vector<std::uint8_t> bytes;
    const bool is_stack = gva.value() >= kStack;
    const std::uint64_t size = is_stack ? frame.size() * 4 : code.size();
    for (std::uint64_t at = gva.value() - (is_stack ? kStack : kCode);
         bytes.size() < count && at < size; ++at) {
      bytes.push_back(is_stack ? static_cast<std::uint8_t>(frame[at / 4] >> (8 * (at % 4)))
                               : code[at]);
    }
    return bytes;
  };
  const Registers registers = after_hlt_at(static_cast<std::uint64_t>(vector));
  const HaltMeaning meaning = interpret_halt(registers, registers, kHandlers, read);
  return std::get<Exception>(meaning.reason);
}

struct SoftwareCase {
  Vector vector;
  std::vector<std::uint8_t> code;
  unsigned length;
};

TEST(HandlerLimitsTest, TheInstructionThatAskedForAnException) {
  using enum Vector;
  const SoftwareCase cases[] = {{kBreakpoint, {0x90, 0xCC, 0x90}, 1},
                                {kOverflow, {0x90, 0xCE, 0x90}, 1},
                                {kDebug, {0x90, 0xF1, 0x90}, 1},
                                {Vector{0x21}, {0xCD, 0x21, 0x90}, 2},
                                {kDebug, {0xCD, 0x01, 0x90}, 2},
                                {kBreakpoint, {0xCD, 0x03, 0x90}, 2},
                                {kBreakpoint, {0x90, 0xCE, 0x90}, 0},
                                {kOverflow, {0x90, 0xCC, 0x90}, 0},
                                {kDebug, {0x90, 0xCC, 0x90}, 0},
                                {kBreakpoint, {0x90, 0xF1, 0x90}, 0},
                                {Vector{0x21}, {0xCD, 0x22, 0x90}, 0},
                                {Vector{0x21}, {0xCC, 0x21, 0x90}, 0},
                                {kDivideError, {0xCD, 0x00, 0x90}, 2},
                                // div, idiv and aam raise #DE by themselves, ud2 #UD.
                                {kDivideError, {0xCD, 0x00, 0xF7, 0xF3}, 0},
                                {kDivideError, {0xCD, 0x00, 0xF7, 0xFB}, 0},
                                {kDivideError, {0xCD, 0x00, 0xD4, 0x00}, 0},
                                {kInvalidOpcode, {0xCD, 0x06, 0x0F, 0x0B}, 0},
                                {kInvalidOpcode, {0xCD, 0x06, 0x90}, 2}};
  for (const SoftwareCase& each : cases) {
    const Exception exception = exception_after(each.vector, each.code);
    EXPECT_EQ(exception.vector, each.vector);
    EXPECT_EQ(exception.instruction_length, each.length) << mnemonic(each.vector);
    EXPECT_EQ(exception.software, each.length == 2) << "INT n";
  }
}

TEST(HandlerLimitsTest, AFrameWithRfIsAFaults) {
  EXPECT_EQ(exception_after(Vector{0x21}, {0xCD, 0x21, 0x90}).instruction_length, 2U);
  EXPECT_EQ(exception_after(Vector{0x21}, {0xCD, 0x21, 0x90}, Rflags::kRf | 2).instruction_length,
            0U);
}

// SDM vol. 3, table 6-1: an error code lies above the return address.
TEST(HandlerLimitsTest, ExceptionsThatPushAnErrorCode) {
  for (const unsigned vector : {8U, 10U, 11U, 12U, 13U, 14U, 17U, 21U}) {
    const Exception exception = exception_after(static_cast<Vector>(vector), {0x90, 0x90}, 2, 0x58);
    EXPECT_EQ(exception.error_code, 0x58U) << vector;
    EXPECT_EQ(exception.rip, kCode + 2) << vector;
  }
  for (const unsigned vector : {0U, 1U, 3U, 7U, 9U, 16U, 18U, 19U, 20U, 32U}) {
    const Exception exception = exception_after(static_cast<Vector>(vector), {0x90, 0x90});
    EXPECT_EQ(exception.error_code, std::nullopt) << vector;
    EXPECT_EQ(exception.rip, kCode + 2) << vector;
  }
}

}  // namespace
