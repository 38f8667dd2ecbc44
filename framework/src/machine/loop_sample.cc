#include "machine/loop_sample.h"
#include "machine/deadline.h"
#include "machine/single_step.h"
#include "machine/vcpu_state.h"
#include "x86/code/decoded_instruction.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <map>

namespace hltest {
namespace {

constexpr std::uint64_t kMostInstructions = 300;
constexpr std::chrono::milliseconds kLongest{500};

// The last value that an IN of this port gave.
std::optional<PortAccess> last_read(const PortLog& ports, Port port) {
  const auto& accesses = ports.accesses();
  const auto found = std::find_if(accesses.rbegin(), accesses.rend(), [&](const auto& access) {
    return access.direction == Direction::kIn && access.port == port;
  });
  return found != accesses.rend() ? std::optional{*found} : std::nullopt;
}

bool serve(const kvm::Exit& exit, const PortLog& ports) {
  if (const auto* const io = std::get_if<kvm::IoExit>(&exit)) {
    const std::uint32_t value =
        io->is_out ? 0 : last_read(ports, io->port).value_or(PortAccess{.value = ~0U}).value;
    for (std::size_t at = 0; !io->is_out && at < io->data.size(); at += io->size) {
      std::memcpy(io->data.subspan(at, io->size).data(), &value, io->size);
    }
    return true;
  }
  const auto* const mmio = std::get_if<kvm::MmioExit>(&exit);
  if (mmio != nullptr && !mmio->is_write) std::ranges::fill(mmio->data, std::uint8_t{0xFF});
  return mmio != nullptr;
}

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
std::string waits_for(const std::vector<DecodedInstruction>& loop, const Registers& registers,
                      const PortLog& ports) {
  const auto in =
      std::ranges::find_if(loop, [](const auto& each) { return each.is(Mnemonic::kIn); });
  if (in == loop.end() || in->operands.size() < 2) return {};
  const Operand& source = in->operands[1];
  const auto port =
      static_cast<Port>(source.kind == Operand::Kind::kImmediate ? source.value : registers.dx());
  const std::optional<PortAccess> read = last_read(ports, port);
  if (!read) return {};
  const bool always = std::ranges::all_of(ports.accesses(), [&](const PortAccess& access) {
    return access.direction == Direction::kOut || access.port != port ||
           access.value == read->value;
  });
  std::string bit;
  for (const DecodedInstruction& each : loop) {
    const std::optional<std::uint64_t> bits = tested_bits(each);
    if (!bits) continue;
    bit = std::has_single_bit(*bits) ? fmt::format("bit {} of ", std::countr_zero(*bits))
                                     : fmt::format("bits {:#x} of ", *bits);
    break;
  }
  return fmt::format("waits for {}port {:#x}, which {} {:#x}{}", bit, port,
                     always ? "always read" : "last read", read->value,
                     read->scripted ? "" : " (nobody answers there)");
}

}  // namespace

Loop watch_loop(kvm::Vcpu& vcpu, const SystemTables& tables, const PortLog& ports) {
  Loop loop;
  std::map<Gva, LoopStep> steps;
  std::map<Gva, DecodedInstruction> decoded;
  const Deadline deadline{kLongest};  // a step can be an instruction that never ends
  vcpu.set_signal_mask(deadline.mask_in_guest());
  Registers registers;
  while (loop.instructions < kMostInstructions && !deadline.has_passed()) {
    registers = read_registers(vcpu);
    const Gva at = registers.code_address();
    LoopStep& step = steps[at];
    if (step.count == 0) {
      const auto bytes = tables.read(at, kLongestInstruction);
      if (bytes.empty()) break;
      step = {.address = at,
              .instruction = disassemble_one(bytes, at, cpu_mode(registers)).text,
              .gpa = tables.translate(at)};
      if (auto instruction = decode_instruction(bytes, registers)) {
        decoded.emplace(at, *std::move(instruction));
      }
    }
    ++step.count;
    ++loop.instructions;
    const kvm::Exit exit = single_step(
        vcpu, registers, [&ports](const kvm::Exit& access) { return serve(access, ports); });
    if (!std::holds_alternative<kvm::DebugExit>(exit)) break;
  }
  vcpu.set_single_step(false);
  std::vector<DecodedInstruction> instructions;
  instructions.reserve(decoded.size());
  loop.steps.reserve(steps.size());
  for (auto& [address, step] : steps) loop.steps.push_back(std::move(step));
  for (auto& [address, instruction] : decoded) instructions.push_back(std::move(instruction));
  loop.waits_for = waits_for(instructions, registers, ports);
  return loop;
}

}  // namespace hltest
