#include <hltest/guest/memory_layout.h>
#include <hltest/machine/start_state.h>
#include <hltest/x86/descriptor.h>
#include <hltest/x86/vector.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace hltest {
namespace {

constexpr std::uint16_t kIvtLimit = 256 * 4 - 1;
constexpr std::uint16_t kIdt32Limit = 256 * 8 - 1;
constexpr std::uint16_t kIdt64Limit = 256 * 16 - 1;
constexpr std::uint32_t kTssLimit = 103;  // the smallest TSS, 32- and 64-bit (SDM vol. 3, 8.2.1)
constexpr std::uint64_t kStackGap = 16;
constexpr unsigned kVectors = 256;
constexpr unsigned kHandlerIst = 1;
constexpr std::uint8_t kHlt = 0xF4;

Registers real_mode_registers(Gpa end_of_ram) {
  Registers registers;
  registers.set_all_segments(Segment::real_mode(0));
  registers.cs.type = Segment::kCodeReadExecute;
  registers.tr = Segment::task_state(0, Gva{0}, 0xFFFF);
  registers.ldt = Segment::null_ldt();
  registers.idt = {Gva{0}, kIvtLimit};
  registers.gdt = {Gva{0}, 0xFFFF};
  registers.cr0.value = Cr0::kEt;
  registers.rsp = std::min(end_of_ram.value(), 64 * kKiB) - kStackGap;
  return registers;
}

Registers with_system_tables(Gpa end_of_ram) {
  const Gva system{kSystemRegion.value()};
  Registers registers;
  registers.set_all_segments(Segment::flat_data(kDataSelector));
  registers.tr = Segment::task_state(kTssSelector, system + kTssOffset, kTssLimit);
  registers.ldt = Segment::null_ldt();
  registers.gdt = {system + kGdtOffset, kGdtLimit};
  registers.rsp = end_of_ram.value() - kStackGap;
  return registers;
}

Registers protected_mode_registers(Gpa end_of_ram) {
  Registers registers = with_system_tables(end_of_ram);
  registers.cs = Segment::flat_code32(kCode32Selector);
  registers.idt = {Gva{(kSystemRegion + kIdtOffset).value()}, kIdt32Limit};
  registers.cr0.value = Cr0::kPe | Cr0::kEt | Cr0::kNe;
  return registers;
}

Registers long_mode_registers(Gpa end_of_ram) {
  Registers registers = with_system_tables(end_of_ram);
  registers.cs = Segment::code64(kCode64Selector);
  registers.idt = {Gva{(kSystemRegion + kIdtOffset).value()}, kIdt64Limit};
  registers.cr0.value = Cr0::kPe | Cr0::kMp | Cr0::kEt | Cr0::kNe;
  registers.cr4.value = Cr4::kOsfxsr | Cr4::kOsxmmexcpt;
  registers.efer.value = Efer::kLme | Efer::kLma;
  set_paging_registers(PagingMode::k4Level, registers);
  return registers;
}

constexpr std::array kSelectors = {kCode32Selector,    kDataSelector,       kCode64Selector,
                                   kStackSelector,     kUserCode32Selector, kUserDataSelector,
                                   kUserCode64Selector};

Segment segment_of(std::uint16_t selector) {
  switch (selector) {
    case kCode32Selector:
    case kUserCode32Selector:
      return Segment::flat_code32(selector);
    case kCode64Selector:
    case kUserCode64Selector:
      return Segment::code64(selector);
    default:
      return Segment::flat_data(selector);
  }
}

template <typename T>
void put(std::span<std::uint8_t> region, std::uint64_t offset, const T& value) {
  std::memcpy(region.subspan(offset, sizeof value).data(), &value, sizeof value);
}

void put_gdt(std::span<std::uint8_t> region, CpuMode mode) {
  for (const std::uint16_t selector : kSelectors) {
    put(region, kGdtOffset + (selector & ~7U), descriptor(segment_of(selector)));
  }
  const Gva tss{(kSystemRegion + kTssOffset).value()};
  put(region, kGdtOffset + kTssSelector,
      descriptor(Segment::task_state(kTssSelector, tss, kTssLimit)));
  if (mode == CpuMode::kLong64) {
    put(region, kGdtOffset + kTssSelector + 8, tss.value() >> 32U);
  }
}

void put_tss(std::span<std::uint8_t> region, CpuMode mode) {
  const std::uint64_t stack = (kSystemRegion + kHandlerStackOffset).value() + 4 * kKiB;
  if (mode == CpuMode::kLong64) {
    put(region, kTssOffset + 4, stack);   // RSP0 (SDM vol. 3, figure 8-11)
    put(region, kTssOffset + 36, stack);  // IST1
    put(region, kTssOffset + 102, static_cast<std::uint16_t>(kTssLimit + 1));
  } else {
    put(region, kTssOffset + 4, static_cast<std::uint32_t>(stack));  // ESP0 (figure 8-2)
    put(region, kTssOffset + 8, std::uint32_t{kDataSelector});       // SS0
    put(region, kTssOffset + 102, static_cast<std::uint16_t>(kTssLimit + 1));
  }
}

void put_idt(std::span<std::uint8_t> region, CpuMode mode) {
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    const std::uint64_t handler = (kSystemRegion + kHandlersOffset).value() + vector;
    // INT n may reach a gate from CPL 3, but not one of those whose frame holds an error code,
    // which INT n does not push.
    const unsigned dpl = pushes_error_code(static_cast<Vector>(vector)) ? 0 : 3;
    if (mode == CpuMode::kLong64) {
      const EncodedDescriptor gate = encode(
          InterruptGate64{
              .selector = kCode64Selector, .offset = handler, .dpl = dpl, .ist = kHandlerIst},
          DescriptorFormat::kIa32e);
      put(region, kIdtOffset + std::uint64_t{vector} * 16, gate.low);
      put(region, kIdtOffset + std::uint64_t{vector} * 16 + 8, gate.high);
    } else {
      put(region, kIdtOffset + std::uint64_t{vector} * 8,
          encode(InterruptGate32{.selector = kCode32Selector, .offset = handler, .dpl = dpl},
                 DescriptorFormat::kLegacy)
              .low);
    }
  }
}

std::array<std::uint16_t, std::size_t{2} * kVectors> interrupt_vector_table() {
  std::array<std::uint16_t, std::size_t{2} * kVectors> table{};
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    table.at(std::size_t{2} * vector) = static_cast<std::uint16_t>(kHandlersOffset + vector);
    table.at(std::size_t{2} * vector + 1) = static_cast<std::uint16_t>(kRomRegion.value() / 16);
  }
  return table;
}

DescriptorTable lay_out_rom(GuestMemory& memory, bool image_at_zero) {
  const std::span<std::uint8_t> rom = memory.create_system_region(kRomSize);
  std::ranges::fill(rom.subspan(kHandlersOffset, kVectors), kHlt);
  const auto table = interrupt_vector_table();
  put(rom, kIdtOffset, table);
  if (image_at_zero) return {Gva{(kRomRegion + kIdtOffset).value()}, kIvtLimit};
  memory.write(Gpa{0}, table);
  return {Gva{0}, kIvtLimit};
}

}  // namespace

Registers start_registers(CpuMode mode, Gpa end_of_ram) {
  switch (mode) {
    case CpuMode::kReal16:
      return real_mode_registers(end_of_ram);
    case CpuMode::kProtected32:
      return protected_mode_registers(end_of_ram);
    case CpuMode::kLong64:
      return long_mode_registers(end_of_ram);
    default:
      throw std::invalid_argument("no guest starts in " + to_string(mode) +
                                  ": real16, protected32 and long64 are start modes");
  }
}

void set_paging_registers(PagingMode mode, Registers& registers) {
  const auto set = [](std::uint64_t& value, std::uint64_t bits, bool on) {
    value = on ? value | bits : value & ~bits;
  };
  const bool paging = mode != PagingMode::kNone;
  const bool pae = paging && mode != PagingMode::k32Bit;
  set(registers.cr0.value, Cr0::kPg | Cr0::kWp, paging);
  set(registers.cr4.value, Cr4::kPse, mode == PagingMode::k32Bit);
  set(registers.cr4.value, Cr4::kPae, pae);
  set(registers.cr4.value, Cr4::kLa57, mode == PagingMode::k5Level);
  set(registers.efer.value, Efer::kNxe, pae);
  registers.cr3.value = paging ? (kSystemRegion + kPageTablesOffset).value() : 0;
}

std::optional<Segment> start_segment(std::uint16_t selector) {
  const auto* const found = std::ranges::find(kSelectors, selector);
  if (found == kSelectors.end()) return std::nullopt;
  return segment_of(selector);
}

DescriptorTable lay_out_system_region(GuestMemory& memory, CpuMode mode, const AddressMap& map,
                                      bool image_at_zero) {
  if (mode == CpuMode::kReal16) return lay_out_rom(memory, image_at_zero);

  PlacedPageTables paging{.region_size = kPageTablesOffset};
  if (map.mode() != PagingMode::kNone) paging = map.build(memory);

  const std::span<std::uint8_t> region = memory.create_system_region(paging.region_size);
  std::ranges::fill(region.subspan(kHandlersOffset, kVectors), kHlt);
  put_idt(region, mode);
  put_gdt(region, mode);
  put_tss(region, mode);
  if (!paging.tables.empty()) {
    std::memcpy(region.subspan(kPageTablesOffset).data(), paging.tables.data(),
                paging.tables.size() * sizeof(PageTable));
  }
  return start_registers(mode, memory.end_of_low_ram()).idt;
}

}  // namespace hltest
