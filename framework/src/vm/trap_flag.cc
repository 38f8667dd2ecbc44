#include "vm/trap_flag.h"

#include <algorithm>
#include <array>
#include <optional>

#include "vm/debug_probe.h"
#include "vm/stepping.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"
#include "x86/registers/read_number.h"

namespace hltest::internal {
namespace {

constexpr std::uint8_t kPushf = 0x9C;
constexpr std::uint8_t kPopf = 0x9D;
constexpr std::uint8_t kIret = 0xCF;
constexpr std::uint8_t kTwoBytes = 0x0F;
constexpr std::uint8_t kTfInSecondByte = Rflags::kTf >> 8U;

bool is_prefix(std::uint8_t byte, CpuMode mode) {
  constexpr std::array<std::uint8_t, 11> kPrefixes = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
                                                      0x66, 0x67, 0xF0, 0xF2, 0xF3};
  const bool is_rex = mode == CpuMode::kLong64 && (byte & 0xF0U) == 0x40;
  return is_rex || std::ranges::find(kPrefixes, byte) != kPrefixes.end();
}

// The first byte after the prefixes; 0 where it can't be read.
std::uint8_t opcode_of(const Step& step) {
  const CpuMode mode = cpu_mode(step.before);
  const auto opcode = std::ranges::find_if_not(
      step.code, [mode](std::uint8_t byte) { return is_prefix(byte, mode); });
  return opcode == step.code.end() ? std::uint8_t{0} : *opcode;
}

// Clears TF in flags that are in the guest's memory.
void clear_in_memory(Gva flags, Guest& guest) {
  const auto gpa = guest.tables().translate(flags + 1);
  if (!gpa || guest.memory().kind(*gpa) == RegionKind::kRom) return;
  const std::uint8_t second = guest.memory().read(*gpa, 1)[0];
  const std::uint8_t hidden[] = {static_cast<std::uint8_t>(second & ~kTfInSecondByte)};
  guest.memory().write(*gpa, hidden);
}

// True in the handler of an exception or of the step's own INT n. There are KVMs that have executed
// the handler's first instruction by then.
bool is_in_a_handler(Gva at, const Step& step, const GuestTables& tables) {
  constexpr unsigned kExceptions = 32;
  const auto leads_there = [&](Vector vector) {
    const auto handler = handler_of(vector, tables);
    return handler && at - *handler <= kLongestInstruction;
  };
  for (unsigned vector = 0; vector < kExceptions; ++vector) {
    if (leads_there(static_cast<Vector>(vector))) return true;
  }
  const auto instruction = decode_instruction(step.code, step.before);
  const auto vector = instruction ? software_vector(*instruction) : std::nullopt;
  return vector && leads_there(*vector);
}

// Where a delivery of this step would have pushed to, with values of this size: on the stack of the
// handler as it is now, and where that began if the handler stayed on the same one.
std::array<Gva, 2> tops_of_frame(const Step& step, const Registers& now, unsigned size,
                                 unsigned values) {
  constexpr unsigned kQuadword = 8;
  const Gva before = stack_address(step.before);
  if (size != kQuadword) return {stack_address(now), before - std::uint64_t{values} * size};
  // Long mode pushes SS and RSP, too, and aligns the stack.
  constexpr std::uint64_t kAlignment = 16;
  const Gva aligned = before - before.value() % kAlignment;
  return {stack_address(now), aligned - (values + 2ULL) * kQuadword};
}

// Where the flags are that the delivery of an exception or INT n pushed in this step; nothing where
// it delivered none.
std::optional<Gva> delivered_flags(const Step& step, const Guest& guest) {
  const Registers& now = guest.registers();
  if (now.rsp == step.before.rsp && now.ss.selector == step.before.ss.selector) return std::nullopt;
  const GuestTables tables = guest.tables();
  const LinearReader read = [&tables](Gva gva, std::size_t count) {
    return tables.read(gva, count);
  };
  for (const unsigned size : {8U, 4U, 2U}) {
    for (const unsigned error_code : {0U, 1U}) {
      for (const Gva top : tops_of_frame(step, now, size, error_code + 3)) {
        const Gva frame = top + std::uint64_t{error_code} * size;
        const Gva flags_at = frame + std::uint64_t{2} * size;
        const auto rip = read_number(read, frame, size);
        const auto cs = read_number(read, frame + size, 2);
        const auto flags = read_number(read, flags_at, 2);
        const bool is_here = rip && *rip - step.before.rip <= kLongestInstruction &&
                             cs == step.before.cs.selector && flags && (*flags & Rflags::kTf) != 0;
        if (is_here && is_in_a_handler(now.code_address(), step, tables)) return flags_at;
      }
    }
  }
  return std::nullopt;
}

// A string instruction that repeats moves on in memory, either way.
bool may_repeat(const Step& step) {
  const CpuMode mode = cpu_mode(step.before);
  for (const std::uint8_t byte : step.code) {
    if (!is_prefix(byte, mode)) return false;
    if (byte == 0xF2 || byte == 0xF3) return true;
  }
  return false;
}

}  // namespace

bool sets_trap_flag(const Step& step, const Guest& guest) {
  if (step.before.rflags.tf()) return true;
  const std::uint8_t opcode = opcode_of(step);
  if (opcode != kPopf && opcode != kIret) return false;
  const auto instruction = decode_instruction(step.code, step.before);
  if (!instruction) return false;
  // IRET pops them after RIP and CS.
  const std::uint64_t offset = opcode == kIret ? 2ULL * instruction->operand_size : 0;
  const auto flags = guest.tables(step.before).read(stack_address(step.before) + offset, 2);
  return flags.size() == 2 && (flags[1] & kTfInSecondByte) != 0;
}

void hide_trap_flag(const Step& step, Guest& guest) {
  const std::uint8_t opcode = opcode_of(step);
  if (const auto flags = delivered_flags(step, guest)) {
    clear_in_memory(*flags, guest);
  } else if (opcode == kPushf) {
    clear_in_memory(stack_address(guest.registers()), guest);
  }
}

std::vector<Gva> own_handlers(const Step& step, const Guest& guest) {
  if (stops_in_handlers()) return {};
  constexpr std::array<unsigned, 12> kFaults = {0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19};
  std::vector<Gva> own;
  const GuestTables tables = guest.tables(step.before);
  for (const unsigned vector : kFaults) {
    const auto handler = handler_of(static_cast<Vector>(vector), tables);
    if (!handler || std::ranges::find(own, *handler) != own.end()) continue;
    const auto gpa = tables.translate(*handler);
    if (gpa && guest.memory().kind(*gpa) == RegionKind::kRam) own.push_back(*handler);
  }
  if (own.empty()) return own;
  const auto instruction = decode_instruction(step.code, step.before);
  if (!instruction) return own;
  constexpr std::uint64_t kReach = 0x10000;
  const bool moves_on = may_repeat(step);
  for (const Operand& operand : instruction->operands) {
    if (operand.kind != Operand::Kind::kMemory) continue;
    std::erase_if(own, [&](Gva handler) {
      const std::uint64_t after = handler - operand.linear;
      return after < operand.size || (moves_on && after + kReach < 2 * kReach);
    });
  }
  return own;
}

std::vector<Gva> ends_without_stepping(const Step& step, const Guest& guest) {
  using enum Vector;
  const std::uint8_t opcode = opcode_of(step);
  if (!step.before.efer.lma() || (opcode != kIret && opcode != kTwoBytes)) return {};
  const auto instruction = decode_instruction(step.code, step.before);
  if (!instruction) return {};
  const GuestTables tables = guest.tables(step.before);
  std::vector<Gva> ends;
  if (instruction->is(Mnemonic::kSyscall)) {
    constexpr std::array kTargets = {Msr::kIa32Lstar, Msr::kIa32Cstar};
    for (const MsrValue& each : guest.vcpu().msrs(kTargets)) ends.emplace_back(each.value);
  } else if (opcode == kIret && cpu_mode(step.before) == CpuMode::kLong64) {
    const LinearReader read = [&tables](Gva gva, std::size_t count) {
      return tables.read(gva, count);
    };
    const auto rip = read_number(read, stack_address(step.before), instruction->operand_size);
    if (rip) ends.emplace_back(*rip);
  }
  if (ends.empty()) return {};
  for (const Vector vector : {kInvalidOpcode, kInvalidTss, kSegmentNotPresent, kStackFault,
                              kGeneralProtection, kPageFault}) {
    if (const auto handler = handler_of(vector, tables)) ends.push_back(*handler);
  }
  return ends;
}

}  // namespace hltest::internal
