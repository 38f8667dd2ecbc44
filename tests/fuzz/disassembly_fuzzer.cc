// Any bytes disassemble in any mode: each instruction has 1 to 15 of them, one behind the other,
// and a text; the decoder with operands and the one without agree on what is an instruction.
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

#include <algorithm>
#include <span>

#include "input.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using fuzz::require;
using Bytes = std::span<const std::uint8_t>;

bool is_none(const Instruction& instruction) { return !instruction.is_valid; }

// Requires that it is the beginning of `code`.
void check(const Instruction& instruction, Bytes code, Gva address) {
  const std::vector<std::uint8_t>& bytes = instruction.bytes;
  require(!bytes.empty() && bytes.size() <= kLongestInstruction,
          "an instruction has 1 to 15 bytes");
  require(bytes.size() <= code.size() && std::ranges::equal(bytes, code.first(bytes.size())),
          "its bytes are those of the code");
  require(instruction.address == address, "it is behind the one before");
  require(!instruction.text.empty(), "it has a text");
  fuzz::require_one_line(instruction.text);
  require(!is_none(instruction) || bytes.size() == 1, "bytes that are none come one at a time");
}

void check_one(FuzzedDataProvider& input, Bytes code, Gva address, CpuMode mode) {
  const Instruction one = disassemble_one(code, address, mode);
  check(one, code, address);
  const Vector vector{input.ConsumeIntegral<std::uint8_t>()};
  const bool raises = raises_by_itself(code, mode, vector);
  const bool can = vector == Vector::kInvalidOpcode || vector == Vector::kDivideError;
  require(!raises || can, "only #UD and #DE come from an instruction by itself");
  if (vector == Vector::kInvalidOpcode) require(raises || !is_none(one), "no instruction is #UD");
  if (vector == Vector::kDivideError) require(!raises || !is_none(one), "a division is one");
}

void check_around(FuzzedDataProvider& input, Bytes code, Gva start, CpuMode mode) {
  const Gva rip = start + input.ConsumeIntegralInRange<std::size_t>(0, code.size() + 1);
  const std::size_t before = input.ConsumeIntegralInRange<std::size_t>(0, 20);
  const std::size_t after = input.ConsumeIntegralInRange<std::size_t>(0, 20);
  const auto instructions =
      disassemble_around(code, start, input.ConsumeBool(), rip, mode, before, after);
  require(instructions.empty() == (rip < start || rip - start >= code.size()),
          "there are instructions where RIP is in the code");
  if (instructions.empty()) return;
  Gva at = instructions.front().address;
  for (const Instruction& instruction : instructions) {
    check(instruction, code.subspan(at - start), at);
    at = at + instruction.bytes.size();
  }
  const auto stop = std::ranges::find(instructions, rip, &Instruction::address);
  require(stop != instructions.end(), "one is at RIP");
  require(stop - instructions.begin() <= static_cast<std::ptrdiff_t>(before), "few before");
  require(instructions.end() - stop <= static_cast<std::ptrdiff_t>(after) + 1, "few after");
}

void check_decoded(FuzzedDataProvider& input, Bytes code) {
  const Registers registers = fuzz::registers(input);
  const auto decoded = decode_instruction(code, registers);
  const Instruction one = disassemble_one(code, registers.code_address(), cpu_mode(registers));
  require(decoded.has_value() == !is_none(one), "both decoders know an instruction");
  if (!decoded) return;
  require(decoded->length == one.bytes.size(), "of the same length");
  require(decoded->text == one.text, "with the same text");
  require(!decoded->name.empty(), "and a mnemonic");
  require(decoded->mnemonic == one.mnemonic, "which is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const std::vector<std::uint8_t> code =
      input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 200));
  if (code.empty()) return 0;
  const CpuMode mode = fuzz::cpu_mode(input);
  // Up to the last byte that there is an address for.
  const std::uint64_t most = 0 - std::uint64_t{code.size()};
  const Gva start{std::min(fuzz::number(input), most)};
  check_one(input, code, start, mode);
  check_around(input, code, start, mode);
  check_decoded(input, code);
  return 0;
}
