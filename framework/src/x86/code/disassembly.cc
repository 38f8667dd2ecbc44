#include "x86/code/disassembly.h"
#include "x86/code/zydis_decoder.h"

#include <fmt/format.h>

#include <array>

namespace hltest::internal {
namespace {

// Decoding from any byte falls in step with the code after a few instructions; the more of them are
// decoded, the surer.
constexpr std::uint64_t kFarthestStart = 48;

// Zydis writes `[bx+si*1]`, where a source has no scale; the others are 2, 4 and 8.
std::string without_scale_of_1(std::string text) {
  const std::size_t at = text.find("*1");
  return at == std::string::npos ? text : text.erase(at, 2);
}

Instruction decode(const ZydisDecoder& decoder, std::span<const std::uint8_t> bytes, Gva address) {
  ZydisDecodedInstruction decoded;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(), &decoded,
                                         operands.data()))) {
    return {.address = address,
            .bytes = {bytes[0]},
            .text = fmt::format("db {:#04x}", bytes[0]),
            .is_valid = false};
  }
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
  ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                            ZYDIS_PADDING_DISABLED);
  ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
  ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
  std::array<char, 128> text{};
  ZydisFormatterFormatInstruction(&formatter, &decoded, operands.data(),
                                  decoded.operand_count_visible, text.data(), text.size(),
                                  address.value(), nullptr);
  const auto own = bytes.first(decoded.length);
  return {.address = address,
          .bytes = {own.begin(), own.end()},
          .text = without_scale_of_1(text.data()),
          .mnemonic = mnemonic_of(decoded)};
}

// The instructions from `start` on that end exactly `length` bytes after it; empty if one crosses
// that point. Counts in offsets: the address after the last one is 0.
std::vector<Instruction> decode_up_to(const ZydisDecoder& decoder,
                                      std::span<const std::uint8_t> code, Gva start,
                                      std::uint64_t length) {
  std::vector<Instruction> instructions;
  std::uint64_t offset = 0;
  while (offset < length) {
    instructions.push_back(decode(decoder, code.subspan(offset), start + offset));
    offset += instructions.back().bytes.size();
  }
  if (offset != length) instructions.clear();
  return instructions;
}

}  // namespace

Instruction disassemble_one(std::span<const std::uint8_t> bytes, Gva address, CpuMode mode) {
  return decode(decoder_for(mode), bytes, address);
}

bool raises_by_itself(std::span<const std::uint8_t> bytes, CpuMode mode, Vector vector) {
  if (bytes.empty()) return false;
  const Instruction instruction = disassemble_one(bytes, Gva{0}, mode);
  using enum Mnemonic;
  if (vector == Vector::kInvalidOpcode) {
    return !instruction.is_valid || instruction.is(kUd0, kUd1, kUd2);
  }
  return vector == Vector::kDivideError && instruction.is(kDiv, kIdiv, kAam);
}

std::vector<Instruction> disassemble_around(std::span<const std::uint8_t> code, Gva start,
                                            bool aligned, Gva rip, CpuMode mode, std::size_t before,
                                            std::size_t after) {
  if (rip < start || rip - start >= code.size()) return {};
  const ZydisDecoder decoder = decoder_for(mode);

  const std::uint64_t available = rip - start;
  std::vector<Instruction> instructions;
  if (aligned) instructions = decode_up_to(decoder, code, start, available);
  for (std::uint64_t distance = std::min(available, kFarthestStart);
       instructions.empty() && distance > 0; --distance) {
    const std::uint64_t offset = available - distance;
    instructions = decode_up_to(decoder, code.subspan(offset), start + offset, distance);
  }
  if (instructions.size() > before) {
    instructions.erase(instructions.begin(),
                       instructions.end() - static_cast<std::ptrdiff_t>(before));
  }

  std::uint64_t offset = available;
  for (std::size_t i = 0; i <= after && offset < code.size(); ++i) {
    instructions.push_back(decode(decoder, code.subspan(offset), start + offset));
    offset += instructions.back().bytes.size();
  }
  return instructions;
}

}  // namespace hltest::internal
