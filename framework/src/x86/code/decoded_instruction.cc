#include "x86/code/decoded_instruction.h"
#include <hltest/x86/register_name.h>
#include "x86/code/disassembly.h"
#include "x86/code/zydis_decoder.h"

#include <array>

namespace hltest::internal {
namespace {

const std::array<std::uint64_t GeneralRegisters::*, 16>& general_registers() {
  // In Zydis' order, which is that of the encodings.
  static constexpr std::array<std::uint64_t GeneralRegisters::*, 16> kRegisters = {
      &GeneralRegisters::rax, &GeneralRegisters::rcx, &GeneralRegisters::rdx,
      &GeneralRegisters::rbx, &GeneralRegisters::rsp, &GeneralRegisters::rbp,
      &GeneralRegisters::rsi, &GeneralRegisters::rdi, &GeneralRegisters::r8,
      &GeneralRegisters::r9,  &GeneralRegisters::r10, &GeneralRegisters::r11,
      &GeneralRegisters::r12, &GeneralRegisters::r13, &GeneralRegisters::r14,
      &GeneralRegisters::r15};
  return kRegisters;
}

std::uint64_t cut(std::uint64_t value, unsigned bits) {
  return bits >= 64 ? value : value & ((1ULL << bits) - 1);
}

std::uint64_t register_value(const Registers& registers, ZydisRegister id) {
  switch (id) {
    case ZYDIS_REGISTER_CR0:
      return registers.cr0.value;
    case ZYDIS_REGISTER_CR2:
      return registers.cr2.value();
    case ZYDIS_REGISTER_CR3:
      return registers.cr3.value;
    case ZYDIS_REGISTER_CR4:
      return registers.cr4.value;
    case ZYDIS_REGISTER_CR8:
      return registers.cr8;
    default:
      break;
  }
  if (const Segment* segment = find_segment(registers, ZydisRegisterGetString(id))) {
    return segment->selector;
  }
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, id);
  if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15) return 0;
  const std::uint64_t value =
      registers.*general_registers().at(static_cast<std::size_t>(whole - ZYDIS_REGISTER_RAX));
  const bool is_high_byte = id >= ZYDIS_REGISTER_AH && id <= ZYDIS_REGISTER_BH;
  return cut(is_high_byte ? value >> 8U : value,
             ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, id));
}

ZydisRegisterContext context_of(const Registers& registers, std::uint64_t rip) {
  ZydisRegisterContext context{};
  for (unsigned i = 0; i < 16; ++i) {
    context.values[ZYDIS_REGISTER_RAX + i] = registers.*general_registers().at(i);
    if (i < 8) {
      context.values[ZYDIS_REGISTER_EAX + i] = cut(context.values[ZYDIS_REGISTER_RAX + i], 32);
      context.values[ZYDIS_REGISTER_AX + i] = cut(context.values[ZYDIS_REGISTER_RAX + i], 16);
    } else {
      context.values[ZYDIS_REGISTER_EAX + i] = cut(context.values[ZYDIS_REGISTER_RAX + i], 32);
    }
  }
  context.values[ZYDIS_REGISTER_RIP] = rip;
  return context;
}

DecodedInstruction::Unit unit_of(const ZydisDecodedInstruction& instruction) {
  using Unit = DecodedInstruction::Unit;
  switch (instruction.meta.isa_ext) {
    case ZYDIS_ISA_EXT_X87:
      return Unit::kX87;
    case ZYDIS_ISA_EXT_MMX:
      return Unit::kMmx;
    case ZYDIS_ISA_EXT_SSE:
    case ZYDIS_ISA_EXT_SSE2:
    case ZYDIS_ISA_EXT_SSE3:
    case ZYDIS_ISA_EXT_SSSE3:
    case ZYDIS_ISA_EXT_SSE4:
      return Unit::kSse;
    case ZYDIS_ISA_EXT_AVX:
    case ZYDIS_ISA_EXT_AVX2:
    case ZYDIS_ISA_EXT_FMA:
      return Unit::kAvx;
    case ZYDIS_ISA_EXT_XSAVE:
    case ZYDIS_ISA_EXT_XSAVEC:
    case ZYDIS_ISA_EXT_XSAVEOPT:
    case ZYDIS_ISA_EXT_XSAVES:
      return Unit::kXsave;
    default:
      return Unit::kInteger;
  }
}

// A stack operand's address counts from SS's stack pointer before the push.
void place_memory(const ZydisDecodedInstruction& instruction, const ZydisDecodedOperand& raw,
                  const Registers& registers, Operand& operand) {
  const ZydisRegisterContext context = context_of(registers, registers.rip);
  ZyanU64 offset = 0;
  ZydisCalcAbsoluteAddressEx(&instruction, &raw, registers.rip, &context, &offset);
  operand.value = cut(offset, instruction.address_width);
  const bool is_stack = operand.is_hidden && raw.mem.segment == ZYDIS_REGISTER_SS;
  if (is_stack && operand.is_written) operand.value -= operand.size;  // a push
  const bool is_64_bit = cpu_mode(registers) == CpuMode::kLong64;
  const Segment* const segment = find_segment(registers, operand.name);
  const bool has_base =
      segment != nullptr && (!is_64_bit || operand.name == "fs" || operand.name == "gs");
  const std::uint64_t linear = operand.value + (has_base ? segment->base.value() : 0);
  operand.linear = Gva{is_64_bit ? linear : cut(linear, 32)};
}

std::optional<Operand> operand_of(const ZydisDecodedInstruction& instruction,
                                  const ZydisDecodedOperand& raw, const Registers& registers) {
  Operand operand;
  operand.size = raw.size / 8U;
  operand.is_hidden = raw.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
  operand.is_read = (raw.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
  operand.is_written = (raw.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  switch (raw.type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
      operand.kind = Operand::Kind::kRegister;
      operand.name = ZydisRegisterGetString(raw.reg.value);
      operand.value = register_value(registers, raw.reg.value);
      return operand;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
      operand.kind = Operand::Kind::kImmediate;
      operand.value = raw.imm.value.u;
      return operand;
    case ZYDIS_OPERAND_TYPE_POINTER:
      operand.kind = Operand::Kind::kFarPointer;
      operand.selector = raw.ptr.segment;
      operand.value = raw.ptr.offset;
      return operand;
    case ZYDIS_OPERAND_TYPE_MEMORY:
      if (raw.mem.type == ZYDIS_MEMOP_TYPE_AGEN) return std::nullopt;  // LEA accesses nothing
      operand.kind = Operand::Kind::kMemory;
      operand.name = ZydisRegisterGetString(raw.mem.segment);
      place_memory(instruction, raw, registers, operand);
      return operand;
    default:
      return std::nullopt;
  }
}

}  // namespace

const Operand* DecodedInstruction::first(Operand::Kind kind) const {
  for (const Operand& operand : operands) {
    if (operand.kind == kind && !operand.is_hidden) return &operand;
  }
  return nullptr;
}

const Operand* DecodedInstruction::memory() const {
  if (const Operand* const visible = first(Operand::Kind::kMemory)) return visible;
  for (const Operand& operand : operands) {
    if (operand.kind == Operand::Kind::kMemory) return &operand;
  }
  return nullptr;
}

std::optional<Vector> software_vector(const DecodedInstruction& instruction) {
  using enum Mnemonic;
  if (instruction.is(kInt1)) return Vector::kDebug;
  if (instruction.is(kInt3)) return Vector::kBreakpoint;
  if (instruction.is(kInto)) return Vector::kOverflow;
  const Operand* const number = instruction.first(Operand::Kind::kImmediate);
  if (!instruction.is(kInt) || number == nullptr) return std::nullopt;
  return static_cast<Vector>(number->value);
}

std::optional<DecodedInstruction> decode_instruction(std::span<const std::uint8_t> bytes,
                                                     const Registers& registers) {
  const CpuMode mode = cpu_mode(registers);
  const ZydisDecoder decoder = decoder_for(mode);
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  if (bytes.empty() || ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(),
                                                          &instruction, operands.data()))) {
    return std::nullopt;
  }
  DecodedInstruction decoded{.mnemonic = mnemonic_of(instruction),
                             .name = name_of(instruction),
                             .text = disassemble_one(bytes, registers.code_address(), mode).text,
                             .length = instruction.length,
                             .operand_size = instruction.operand_width / 8U,
                             .unit = unit_of(instruction)};
  for (std::size_t i = 0; i < instruction.operand_count; ++i) {
    if (auto operand = operand_of(instruction, operands.at(i), registers)) {
      decoded.operands.push_back(*std::move(operand));
    }
  }
  return decoded;
}

}  // namespace hltest::internal
