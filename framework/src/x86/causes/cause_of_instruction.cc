#include "x86/causes/causes.h"
#include "x86/code/disassembly.h"
#include "x86/registers/read_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest::internal {
namespace {

using enum Mnemonic;
using Unit = DecodedInstruction::Unit;

std::optional<std::uint64_t> value_of(const Fault& fault, const Operand& operand) {
  if (operand.kind != Operand::Kind::kMemory) return operand.value;
  return read_number(fault.read, operand.linear, std::min(operand.size, 8U));
}

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

std::string dividend_text(const Registers& r, unsigned size) {
  switch (size) {
    case 1:
      return fmt::format("AX = {:#x}", r.ax());
    case 2:
      return fmt::format("DX:AX = {:#x}:{:#x}", r.dx(), r.ax());
    case 4:
      return fmt::format("EDX:EAX = {:#x}:{:#x}", r.edx(), r.eax());
    default:
      return fmt::format("RDX:RAX = {:#x}:{:#x}", r.rdx, r.rax);
  }
}

// What a division by an operand of `size` bytes divides: twice as long (SDM vol. 2, DIV).
Wide dividend(const Registers& r, unsigned size) {
  switch (size) {
    case 1:
      return r.ax();
    case 2:
      return Wide{r.dx()} << 16U | r.ax();
    case 4:
      return Wide{r.edx()} << 32U | r.eax();
    default:
      return Wide{r.rdx} << 64U | r.rax;
  }
}

SignedWide sign_extended(Wide value, unsigned bits) {
  const unsigned unused = 128 - bits;
  return static_cast<SignedWide>(value << unused) >> unused;
}

bool quotient_fits(const Registers& registers, unsigned size, std::uint64_t divisor) {
  return dividend(registers, size) / divisor >> (8 * size) == 0;
}

bool signed_quotient_fits(const Registers& registers, unsigned size, std::uint64_t divisor) {
  const SignedWide left = sign_extended(dividend(registers, size), 16 * size);
  const SignedWide right = sign_extended(divisor, 8 * size);
  const SignedWide most = (SignedWide{1} << (8 * size - 1)) - 1;
  if (right == -1) return left >= -most && left <= most + 1;  // the least number has no opposite
  const SignedWide quotient = left / right;
  return quotient >= -most - 1 && quotient <= most;
}

std::string divide_error(const Fault& fault, const MaybeInstruction& instruction) {
  if (!instruction) return {};
  if (instruction->is(kAam)) return "AAM by 0";
  if (!instruction->is(kDiv, kIdiv)) return {};
  const Operand& divisor = instruction->operands.front();
  const std::optional<std::uint64_t> value = value_of(fault, divisor);
  if (!value) return {};
  const std::string name = divisor.kind == Operand::Kind::kMemory
                               ? fmt::format("divisor at {}", to_string(divisor.linear))
                               : fmt::format("divisor {}", divisor.name);
  if (*value == 0) return "the " + name + " is 0";

  const bool fits = instruction->is(kDiv)
                        ? quotient_fits(fault.registers, divisor.size, *value)
                        : signed_quotient_fits(fault.registers, divisor.size, *value);
  if (fits) return {};
  return fmt::format("the quotient of {} and {} ({:#x}) does not fit in {} bits",
                     dividend_text(fault.registers, divisor.size), name, *value, divisor.size * 8);
}

bool is_an_instruction_in(const std::vector<std::uint8_t>& bytes, CpuMode mode) {
  return !bytes.empty() && disassemble_one(bytes, Gva{0}, mode).is_valid;
}

bool is_legacy_prefix(std::uint8_t byte) {
  constexpr std::array<std::uint8_t, 10> kPrefixes = {0x26, 0x2E, 0x36, 0x3E, 0x64,
                                                      0x65, 0x66, 0x67, 0xF2, 0xF3};
  return std::ranges::find(kPrefixes, byte) != kPrefixes.end();
}

// LOCK stands among the prefixes, and without it the rest is an instruction.
bool is_locked_in_vain(std::vector<std::uint8_t> bytes, CpuMode mode) {
  constexpr std::uint8_t kLock = 0xF0;
  const auto opcode = std::ranges::find_if_not(bytes, is_legacy_prefix);
  if (opcode == bytes.end() || *opcode != kLock) return false;
  bytes.erase(opcode);
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
    return "MOV can't load CS; use a far jump, call or return";
  }
  if (is_locked_in_vain(bytes, mode)) {
    return "LOCK requires an instruction that reads and writes memory";
  }
  const bool is_real = mode == CpuMode::kReal16 || mode == CpuMode::kVirtual8086;
  if (is_real && is_an_instruction_in(bytes, CpuMode::kProtected16)) {
    return fmt::format("`{}` requires protected mode",
                       disassemble_one(bytes, Gva{0}, CpuMode::kProtected16).text);
  }
  for (const CpuMode other : {CpuMode::kLong64, CpuMode::kProtected32, CpuMode::kReal16}) {
    if (code_bits(other) == code_bits(mode) || !is_an_instruction_in(bytes, other)) continue;
    return fmt::format("{:02x} is not an instruction in {}-bit code (in {}-bit code it is `{}`)",
                       bytes.front(), code_bits(mode), code_bits(other),
                       disassemble_one(bytes, Gva{0}, other).text);
  }
  constexpr std::size_t kShown = 4;
  const auto shown = std::span{bytes}.first(std::min(bytes.size(), kShown));
  return fmt::format("{:02x} is not an instruction", fmt::join(shown, " "));
}

std::string invalid_opcode(const Fault& fault, const MaybeInstruction& instruction) {
  if (!instruction) return not_an_instruction(fault);
  const Registers& r = fault.registers;
  const std::string& name = instruction->name;
  if (instruction->is(kUd0, kUd1, kUd2)) return name + " always raises #UD";
  if (instruction->is(kSyscall) && !r.efer.sce()) return "syscall requires EFER.SCE";
  if (instruction->unit == Unit::kAvx || instruction->unit == Unit::kXsave) {
    if (!r.cr4.osxsave()) return name + " requires CR4.OSXSAVE";
  }
  if (instruction->unit == Unit::kSse || instruction->unit == Unit::kMmx) {
    if (r.cr0.em()) return name + " requires CR0.EM = 0";
    if (instruction->unit == Unit::kSse && !r.cr4.osfxsr()) return name + " requires CR4.OSFXSR";
  }
  return "this processor lacks `" + instruction->text + "`, or its CPUID does not show it";
}

std::string device_not_available(const Fault& fault) {
  const Cr0 cr0 = fault.registers.cr0;
  if (cr0.em()) return "CR0.EM is 1: x87 instructions are to be emulated";
  if (cr0.ts()) return "CR0.TS is 1: the unit may still hold another task's state (CLTS clears it)";
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
      return fault.registers.rflags.tf() ? "RFLAGS.TF is set: #DB after each instruction" : "";
    case Vector::kOverflow:
      return "OF is set at INTO";
    case Vector::kBoundRangeExceeded:
      return "the index is outside the bounds of BOUND";
    case Vector::kX87FloatingPoint:
      return "an unmasked x87 exception is pending (FNSTSW says which)";
    case Vector::kSimdFloatingPoint:
      return "MXCSR does not mask an SSE exception that occurred";
    case Vector::kAlignmentCheck: {
      const Operand* const memory = instruction ? instruction->memory() : nullptr;
      return memory == nullptr
                 ? "a misaligned access at CPL 3 while CR0.AM and RFLAGS.AC are set"
                 : fmt::format("{} is not a multiple of {}, and CR0.AM and RFLAGS.AC are set",
                               to_string(memory->linear), memory->size);
    }
    default:
      return {};
  }
}

}  // namespace hltest::internal
