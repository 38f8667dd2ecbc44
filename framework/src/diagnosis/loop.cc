#include "diagnosis/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>

#include "machine/run_record.h"
#include "vm/run.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

namespace hltest::internal {
namespace {

constexpr std::uint64_t kMostInstructions = 300;
constexpr std::chrono::milliseconds kLongest{500};

// The last value that an IN of this port gave.
std::optional<Access> last_read(const AccessLog& log, Port port) {
  const auto& all = log.all();
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Access& access) {
    return access.space == Space::kPort && access.is_read() && access.port() == port;
  });
  return found != all.rend() ? std::optional{*found} : std::nullopt;
}

// Answers as each port did last.
class LastAnswers : public Bus {
 public:
  explicit LastAnswers(const AccessLog& log) : log_(log) {}

  bool answer(Access& access, GuestView& /*guest*/) override {
    if (!access.is_read()) return true;
    access.value = floating_bus(access.size);
    if (access.space == Space::kPort) {
      if (const auto last = last_read(log_, access.port())) access.value &= last->value;
    }
    return access.space != Space::kMsr;
  }

 private:
  const AccessLog& log_;
};

// Counts the instructions of a loop.
class LoopWatch : public Observer {
 public:
  explicit LoopWatch(const Outcome& outcome) : outcome_(outcome) {}

  void on_step(const Step& step, const Guest& /*guest*/) override {
    registers_ = step.before;
    if (step.code.empty()) return;
    const Gva at = step.before.code_address();
    LoopStep& counted = steps_[at];
    if (counted.count == 0) {
      counted.address = at;
      counted.instruction = disassemble_one(step.code, at, cpu_mode(step.before)).text;
      if (step.gpa) counted.source = outcome_.source_at(*step.gpa);
      if (auto instruction = decode_instruction(step.code, step.before)) {
        decoded_.emplace(at, *std::move(instruction));
      }
    }
    ++counted.count;
    ++instructions_;
  }

  [[nodiscard]] std::vector<LoopStep> steps() const {
    std::vector<LoopStep> steps;
    for (const auto& [address, step] : steps_) steps.push_back(step);
    return steps;
  }
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
  [[nodiscard]] const std::map<Gva, DecodedInstruction>& decoded() const { return decoded_; }
  [[nodiscard]] const Registers& registers() const { return registers_; }

 private:
  const Outcome& outcome_;
  std::map<Gva, LoopStep> steps_;
  std::map<Gva, DecodedInstruction> decoded_;
  std::uint64_t instructions_ = 0;
  Registers registers_;
};

// The bits that an instruction tests of what an IN has read, in AL, AX or EAX.
std::optional<std::uint64_t> tested_bits(const DecodedInstruction& instruction) {
  if (!instruction.is(Mnemonic::kTest, Mnemonic::kAnd, Mnemonic::kBt)) {
    return std::nullopt;
  }
  const Operand* const tested = instruction.first(Operand::Kind::kRegister);
  const Operand* const mask = instruction.first(Operand::Kind::kImmediate);
  if (tested == nullptr || mask == nullptr) return std::nullopt;
  if (tested->name != "al" && tested->name != "ax" && tested->name != "eax") return std::nullopt;
  const std::uint64_t width = std::uint64_t{8} * tested->size;
  if (instruction.is(Mnemonic::kBt)) return 1ULL << (mask->value % width);
  return mask->value & ((1ULL << width) - 1);  // it may be sign-extended
}

// The port that the loop reads and the bit that it tests of it, if it does.
std::string waits_for(const LoopWatch& loop, const AccessLog& log) {
  const auto& decoded = loop.decoded();
  const auto in =
      std::ranges::find_if(decoded, [](const auto& each) { return each.second.is(Mnemonic::kIn); });
  if (in == decoded.end() || in->second.operands.size() < 2) return {};
  const Operand& source = in->second.operands[1];
  const auto port = static_cast<Port>(
      source.kind == Operand::Kind::kImmediate ? source.value : loop.registers().dx());
  const std::optional<Access> read = last_read(log, port);
  if (!read) return {};
  const bool always = std::ranges::all_of(log.all(), [&](const Access& access) {
    return access.space != Space::kPort || !access.is_read() || access.port() != port ||
           access.value == read->value;
  });
  std::string bit;
  for (const auto& [address, each] : decoded) {
    const std::optional<std::uint64_t> bits = tested_bits(each);
    if (!bits) continue;
    bit = std::has_single_bit(*bits) ? fmt::format("bit {} of ", std::countr_zero(*bits))
                                     : fmt::format("bits {:#x} of ", *bits);
    break;
  }
  return fmt::format("waits for {}port {:#x}, which {} {:#x}{}", bit, port,
                     always ? "always read" : "last read", read->value,
                     read->answered ? "" : " (nobody answers there)");
}

}  // namespace

void watch_loop(const Outcome& outcome, Diagnosis& diagnosis) {
  if (outcome.record->end == nullptr) return;
  Guest guest{*outcome.record->end};
  LastAnswers bus{outcome.accesses};
  LoopWatch watch{outcome};
  Observer* const observers[] = {&watch};
  static_cast<void>(run(guest, bus,
                        {.wall = kLongest, .single_step = true, .instructions = kMostInstructions},
                        observers));
  diagnosis.loop = watch.steps();
  diagnosis.watched_instructions = watch.instructions();
  diagnosis.waits_for = waits_for(watch, outcome.accesses);
}

}  // namespace hltest::internal
