#include "diagnosis/fault_trap.h"

#include <algorithm>
#include <array>
#include <vector>

#include <hltest/memory_layout.h>

#include "diagnosis/region_mapping.h"

namespace hltest::internal {
namespace {

// Offsets in the replay's region.
constexpr std::uint64_t kHandlers = 0x0;
constexpr std::uint64_t kIdt = 0x1000;
constexpr std::uint64_t kTss = 0x2000;
constexpr std::uint64_t kStackTop = 0x4000;
constexpr std::uint64_t kTables = 0x4000;
constexpr std::uint64_t kGdt = 0x10000;
static_assert(kGdt + 64 * kKiB == kReplayRegionSize);

// Selectors of our own, after the guest's GDT.
struct OwnSelectors {
  std::uint16_t code = 0;
  [[nodiscard]] std::uint16_t data() const { return static_cast<std::uint16_t>(code + 8); }
  [[nodiscard]] std::uint16_t limit() const { return static_cast<std::uint16_t>(code + 15); }
};

std::uint64_t number_at(const GuestTables& tables, Gva at, std::size_t size) {
  const auto bytes = tables.read(at, size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; bytes.size() == size && i < size; ++i) {
    value |= std::uint64_t{bytes[i]} << (8 * i);
  }
  return value;
}

// What the instruction may be about to load: from its text, a register, memory, or off the stack.
std::vector<std::uint16_t> possible_selectors(const DecodedInstruction& instruction,
                                              const GuestTables& tables) {
  std::vector<std::uint16_t> selectors;
  const auto add = [&](std::uint64_t value) {
    selectors.push_back(static_cast<std::uint16_t>(value));
  };
  constexpr std::uint64_t kMostPushed = 40;  // the five quadwords that IRETQ takes
  for (const Operand& operand : instruction.operands) {
    if (operand.kind == Operand::Kind::kFarPointer) add(operand.selector);
    if (operand.kind == Operand::Kind::kRegister) add(operand.value);
    if (operand.kind != Operand::Kind::kMemory) continue;
    for (std::uint64_t at = 0; at < kMostPushed; at += 2) {
      add(number_at(tables, operand.linear + at, 2));
    }
  }
  return selectors;
}

// A selector that the instruction does not load has to be beyond the guest's GDT still.
OwnSelectors choose_selectors(const Registers& registers,
                              const std::vector<std::uint16_t>& selectors) {
  constexpr unsigned kLast = 0xFFF0;
  unsigned code = std::min((registers.gdt.limit + 8U) & ~7U, kLast);
  const auto is_taken = [&](unsigned index) {
    return std::ranges::any_of(selectors, [&](unsigned each) { return (each & ~7U) == index; });
  };
  code = std::max(code, 8U);  // entry 0 is the null descriptor
  while (code < kLast && (is_taken(code) || is_taken(code + 8))) code += 8;
  return {static_cast<std::uint16_t>(code)};
}

// The guest's GDT, and after it entries of our own. What lies between them can't be loaded: it is
// zeros or, since KVM's emulator takes a far jump to zeros for one to a gate, data.
void put_gdt(std::span<std::uint8_t> region, OwnSelectors own, const Registers& registers,
             const GuestTables& tables, bool is_far_jump) {
  const auto bytes = tables.read(registers.gdt.base, std::size_t{registers.gdt.limit} + 1);
  std::ranges::copy(bytes, region.subspan(kGdt, bytes.size()).begin());
  const bool ia32e = registers.efer.lma();
  const auto format = ia32e ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
  const Descriptor code = ia32e ? Descriptor{Code64{}} : Descriptor{Code32{}};
  const std::uint64_t data = encode(Data32{}, format).low;
  for (unsigned at = (registers.gdt.limit + 8U) & ~7U; is_far_jump && at < own.code; at += 8) {
    put(region, kGdt + at, data);
  }
  put(region, kGdt + own.code, encode(code, format).low);
  put(region, kGdt + own.data(), data);
}

// What the instruction does would be another thing with another stack.
bool depends_on_stack(const DecodedInstruction& instruction, const Registers& before) {
  const Segment flat = Segment::flat_data(before.ss.selector);
  const bool is_flat = before.ss.base == flat.base && before.ss.limit == flat.limit &&
                       before.ss.db && before.ss.type == flat.type;
  if (instruction.text.find("sp") != std::string::npos) return true;  // [esp + 4], mov ax, sp
  return std::ranges::any_of(instruction.operands, [is_flat](const Operand& operand) {
    return operand.name == "rsp" || operand.name == "esp" || operand.name == "sp" ||
           (operand.name == "ss" &&
            (!is_flat || operand.is_hidden || operand.kind == Operand::Kind::kRegister));
  });
}

std::optional<FaultTrap> trap_in_real_mode(Backing& memory, const Registers& before) {
  // Handlers have to lie in the first MiB: in segment F000, which a guest that started in real mode
  // has no RAM in.
  if (memory.backed(kRomRegion, kTss) < kTss) return std::nullopt;
  std::vector<std::uint8_t> rom(kTss);
  put_handlers(rom, kHandlers, kVectors);
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    put(rom, kIdt + std::uint64_t{vector} * 4,
        std::array<std::uint16_t, 2>{static_cast<std::uint16_t>(vector), kRomSegment});
  }
  memory.write(kRomRegion, rom);
  FaultTrap trap{.registers = before,
                 .handlers = Gva{(kRomRegion + kHandlers).value()},
                 .region = Gva{kReplayRegion.value()}};
  trap.registers.idt = {Gva{(kRomRegion + kIdt).value()}, 4 * kVectors - 1};
  return trap;
}

}  // namespace

std::optional<FaultTrap> set_fault_trap(std::span<std::uint8_t> region, Backing& memory,
                                        const GuestTables& tables,
                                        const std::optional<DecodedInstruction>& instruction) {
  const Registers& before = tables.registers();
  if (!before.cr0.pe()) return trap_in_real_mode(memory, before);
  std::vector<Gva> in_use = {before.code_address(), before.ss.base + before.rsp};
  std::vector<std::uint16_t> selectors;
  if (instruction) {
    selectors = possible_selectors(*instruction, tables);
    for (const Operand& operand : instruction->operands) in_use.push_back(operand.linear);
  }
  const auto mapping =
      map_region(before, memory, in_use, region.subspan(kTables, kGdt - kTables), kTables);
  if (!mapping) return std::nullopt;

  const bool ia32e = before.efer.lma();
  const bool is_far_jump = instruction && instruction->first(Operand::Kind::kFarPointer) != nullptr;
  const OwnSelectors own = choose_selectors(before, selectors);
  const Gva stack = mapping->region + kStackTop;
  put_handlers(region, kHandlers, kVectors);
  put_gdt(region, own, before, tables, is_far_jump);
  const auto put_at = [region](std::uint64_t offset, const std::vector<std::uint8_t>& bytes) {
    std::ranges::copy(bytes, region.subspan(offset, bytes.size()).begin());
  };
  put_at(kIdt, idt_bytes({.ia32e = ia32e,
                          .code = own.code,
                          .handlers = mapping->region + kHandlers,
                          .all_from_cpl_3 = true}));
  put_at(kTss, tss_bytes(ia32e, stack, own.data()));

  FaultTrap trap{
      .registers = before, .handlers = mapping->region + kHandlers, .region = mapping->region};
  Registers& registers = trap.registers;
  registers.cr3.value = mapping->cr3;
  registers.gdt = {mapping->region + kGdt, own.limit()};
  registers.idt = {mapping->region + kIdt,
                   static_cast<std::uint16_t>((ia32e ? 16 : 8) * kVectors - 1)};
  registers.tr = Segment::task_state(own.code, mapping->region + kTss, 0x67);
  // Without a change of levels the frame goes on the guest's stack, which may be what is wrong.
  if (!ia32e && before.cpl() == 0 && (!instruction || !depends_on_stack(*instruction, before))) {
    registers.ss = Segment::flat_data(own.data());
    registers.rsp = stack.value();
  }
  return trap;
}

}  // namespace hltest::internal
