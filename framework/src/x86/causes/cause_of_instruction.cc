#include <hltest/x86/register_name.h>
#include "x86/causes/causes.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hltest {
namespace {

using Unit = DecodedInstruction::Unit;

std::uint64_t value_of(const Fault& fault, const Operand& operand) {
  if (operand.kind != Operand::Kind::kMemory) return operand.value;
  const std::vector<std::uint8_t> bytes = fault.read(operand.linear, std::min(operand.size, 8U));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

std::string divide_error(const Fault& fault, const MaybeInstruction& instruction) {
  if (!instruction || (!instruction->is("div") && !instruction->is("idiv"))) {
    if (instruction && instruction->is("aam")) return "AAM by 0";
    return {};
  }
  const Operand& divisor = instruction->operands.front();
  const std::uint64_t value = value_of(fault, divisor);
  const std::string name = divisor.kind == Operand::Kind::kMemory
                               ? fmt::format("the divisor at {}", to_string(divisor.linear))
                               : fmt::format("the divisor {}", divisor.name);
  if (value == 0) return name + " is 0";

  const Registers& r = fault.registers;
  std::string dividend;
  switch (divisor.size) {
    case 1:
      dividend = fmt::format("AX = {:#x}", r.ax());
      break;
    case 2:
      dividend = fmt::format("DX:AX = {:#x}:{:#x}", r.dx(), r.ax());
      break;
    case 4:
      dividend = fmt::format("EDX:EAX = {:#x}:{:#x}", r.edx(), r.eax());
      break;
    default:
      dividend = fmt::format("RDX:RAX = {:#x}:{:#x}", r.rdx, r.rax);
      break;
  }
  return fmt::format("the quotient of {} and {} ({:#x}) has no room in {} bits", dividend,
                     name.substr(4), value, divisor.size * 8);
}

bool is_an_instruction_in(const std::vector<std::uint8_t>& bytes, CpuMode mode) {
  return !bytes.empty() && !disassemble_one(bytes, Gva{0}, mode).text.starts_with("db ");
}

// LOCK stands among the prefixes; without it the rest is an instruction.
bool is_locked_in_vain(std::vector<std::uint8_t> bytes, CpuMode mode) {
  constexpr std::uint8_t kLock = 0xF0;
  constexpr std::size_t kMostPrefixes = 4;
  const auto lock = std::ranges::find(bytes, kLock);
  if (lock == bytes.end() || lock - bytes.begin() >= static_cast<std::ptrdiff_t>(kMostPrefixes)) {
    return false;
  }
  bytes.erase(lock);
  return is_an_instruction_in(bytes, mode);
}

std::string not_an_instruction(const Fault& fault) {
  const std::vector<std::uint8_t> bytes =
      fault.read(fault.registers.code_address(), kLongestInstruction);
  if (bytes.empty()) return "the code at RIP can't be read";
  const CpuMode mode = cpu_mode(fault.registers);
  constexpr std::uint8_t kMovToSegment = 0x8E;
  constexpr unsigned kCs = 1;
  if (bytes.size() > 1 && bytes[0] == kMovToSegment && (bytes[1] >> 3U & 7U) == kCs) {
    return "MOV can't load CS: a far jump, call or return does";
  }
  if (is_locked_in_vain(bytes, mode)) {
    return "LOCK goes only with an instruction that changes memory";
  }
  const bool is_real = mode == CpuMode::kReal16 || mode == CpuMode::kVirtual8086;
  if (is_real && is_an_instruction_in(bytes, CpuMode::kProtected16)) {
    return fmt::format("`{}` is for protected mode",
                       disassemble_one(bytes, Gva{0}, CpuMode::kProtected16).text);
  }
  for (const CpuMode other : {CpuMode::kLong64, CpuMode::kProtected32, CpuMode::kReal16}) {
    if (code_bits(other) == code_bits(mode) || !is_an_instruction_in(bytes, other)) continue;
    return fmt::format("{:02x} is no instruction in {}-bit code (in {}-bit code it is `{}`)",
                       bytes.front(), code_bits(mode), code_bits(other),
                       disassemble_one(bytes, Gva{0}, other).text);
  }
  constexpr std::size_t kShown = 4;
  const auto shown = std::span{bytes}.first(std::min(bytes.size(), kShown));
  return fmt::format("{:02x} is no instruction", fmt::join(shown, " "));
}

std::string invalid_opcode(const Fault& fault, const MaybeInstruction& instruction) {
  if (!instruction) return not_an_instruction(fault);
  const Registers& r = fault.registers;
  static constexpr std::array<std::string_view, 3> kUndefined = {"ud0", "ud1", "ud2"};
  if (std::ranges::find(kUndefined, instruction->mnemonic) != kUndefined.end()) {
    return upper_case(instruction->mnemonic) + " is there to raise it";
  }
  if (instruction->is("syscall") && !r.efer.sce()) return "SYSCALL takes EFER.SCE";
  if (instruction->unit == Unit::kAvx || instruction->mnemonic.starts_with("xsave") ||
      instruction->mnemonic.starts_with("xrstor") || instruction->is("xgetbv") ||
      instruction->is("xsetbv")) {
    if (!r.cr4.osxsave()) return instruction->mnemonic + " takes CR4.OSXSAVE";
  }
  if (instruction->unit == Unit::kSse || instruction->unit == Unit::kMmx) {
    if (r.cr0.em()) return instruction->mnemonic + " takes CR0.EM = 0";
    if (instruction->unit == Unit::kSse && !r.cr4.osfxsr()) {
      return instruction->mnemonic + " takes CR4.OSFXSR";
    }
  }
  for (const Operand& operand : instruction->operands) {
    if (operand.kind == Operand::Kind::kRegister && operand.name == "cs" && operand.is_written &&
        instruction->is("mov")) {
      return "CS can't be loaded by MOV";
    }
  }
  return instruction->text + " is not one that this processor has, or that CPUID shows";
}

std::string device_not_available(const Fault& fault) {
  const Cr0 cr0 = fault.registers.cr0;
  if (cr0.em()) return "CR0.EM is 1: there is no x87 unit to use";
  if (cr0.ts())
    return "CR0.TS is 1: the task was switched, and the unit's state not yet (CLTS ends it)";
  return {};
}

}  // namespace

std::string cause_of_instruction(const Fault& fault, const MaybeInstruction& instruction) {
  switch (fault.vector) {
    case Vector::kDivideError:
      return divide_error(fault, instruction);
    case Vector::kInvalidOpcode:
      return invalid_opcode(fault, instruction);
    case Vector::kDeviceNotAvailable:
      return device_not_available(fault);
    case Vector::kDebug:
      return fault.registers.rflags.tf() ? "RFLAGS.TF is set: a trap after each instruction" : "";
    case Vector::kOverflow:
      return "INTO with OF set";
    case Vector::kBoundRangeExceeded:
      return "the index is outside the bounds of BOUND";
    case Vector::kX87FloatingPoint:
      return "an x87 exception is pending and not masked (FNSTSW says which)";
    case Vector::kSimdFloatingPoint:
      return "an SSE exception that MXCSR does not mask";
    case Vector::kAlignmentCheck: {
      const Operand* const memory = instruction ? instruction->memory() : nullptr;
      return memory == nullptr
                 ? "a misaligned access at CPL 3 with CR0.AM and RFLAGS.AC set"
                 : fmt::format("{} is not aligned to {} bytes, and CR0.AM and RFLAGS.AC ask for it",
                               to_string(memory->linear), memory->size);
    }
    default:
      return {};
  }
}

}  // namespace hltest
