// INT 11h, 12h, 15h, 17h, 18h and 19h: what a BIOS tells of the machine, and what it lacks.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <hltest/memory_layout.h>

#include "bios/bios_data.h"
#include "bios/bios_run.h"

namespace hltest::internal {
namespace {

std::vector<MemoryRange> memory_map(const BiosCall& call) {
  if (call.bios.settings.memory_map) return *call.bios.settings.memory_map;
  using Type = MemoryRange::Type;
  const std::uint64_t ebda = call.bios.settings.conventional_kib * kKiB;
  const std::uint64_t size = call.memory().size();
  std::vector<MemoryRange> map{{Gpa{0}, ebda, Type::kUsable},
                               {Gpa{ebda}, 0xA0000 - ebda, Type::kReserved},
                               {Gpa{0xF0000}, 0x10000, Type::kReserved}};
  // RAM goes round the ROM and the framework's region (memory_layout.h).
  const std::uint64_t below = std::min(size, kSystemRegion.value());
  if (below > kMiB) map.push_back({Gpa{kMiB}, below - kMiB, Type::kUsable});
  if (size > below) map.push_back({kHighMemory, size - below, Type::kUsable});
  return map;
}

// RAM from 1 MiB on without a gap, as the memory map has it, and below 4 GiB.
std::uint64_t extended_bytes(const BiosCall& call) {
  const auto& own = call.bios.settings.memory_map;
  if (!own || own->empty()) {
    const std::uint64_t end = std::min(call.memory().size(), kSystemRegion.value());
    return end > kMiB ? end - kMiB : 0;
  }
  constexpr std::uint64_t k4GiB = 1ULL << 32U;
  std::uint64_t end = kMiB;
  const auto goes_on = [&end](const MemoryRange& range) {
    const std::uint64_t base = range.base.value();
    return range.type == MemoryRange::Type::kUsable && base <= end && end - base < range.size;
  };
  for (auto next = own->begin(); end < k4GiB; end = next->base.value() + next->size) {
    next = std::ranges::find_if(*own, goes_on);
    if (next == own->end()) break;
  }
  return std::min(end, k4GiB) - kMiB;
}

void tell_memory_map(BiosCall& call) {
  constexpr std::uint32_t kSmap = 0x534D'4150;
  constexpr std::uint32_t kEntrySize = 20;
  Registers& r = call.registers();
  call.call.name = "read the memory map";
  const std::vector<MemoryRange> map = memory_map(call);
  if (map.empty()) return refuse(call);
  if (r.edx() != kSmap || r.ecx() < kEntrySize || r.ebx() >= map.size()) {
    call.set_carry(true);
    r.set_ah(0x86);
    return;
  }
  const MemoryRange& range = map[r.ebx()];
  const Gpa to = call.address(r.es, r.di());
  std::array<std::uint8_t, kEntrySize> entry{};
  const std::array<std::uint64_t, 2> place = {range.base.value(), range.size};
  std::memcpy(entry.data(), place.data(), sizeof place);
  entry[sizeof place] = static_cast<std::uint8_t>(range.type);
  call.write(to, entry);
  r.rax = kSmap;
  r.rcx = kEntrySize;
  r.rbx = r.ebx() + 1 < map.size() ? r.ebx() + 1 : 0;
  call.set_carry(false);
}

void serve_a20(BiosCall& call) {
  Registers& r = call.registers();
  if (!call.bios.settings.has_a20_service) {
    refuse(call);
    r.set_ah(0x86);
    return;
  }
  call.set_carry(false);
  r.set_ah(0);
  switch (r.al()) {
    case 0x00:
      call.call.name = "close the A20 gate";
      call.guest.set_a20(false);
      return;
    case 0x01:
      call.call.name = "open the A20 gate";
      call.guest.set_a20(true);
      return;
    case 0x02:
      call.call.name = "ask for the A20 gate";
      r.set_al(call.guest.a20_is_open() ? 1 : 0);
      return;
    case 0x03:
      call.call.name = "ask how the A20 gate is opened";
      r.set_bx(3);  // by the keyboard controller and by port 92h
      return;
    default:
      refuse(call);
      r.set_ah(0x86);
  }
}

constexpr Gpa kNowhere{~0ULL};

// The GDT at ES:SI has the source at 10h and the destination at 18h.
void move_block(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "move a block";
  const auto base_at = [&](std::uint64_t offset) {
    const Gpa entry = call.address(r.es, r.si()) + offset;
    if (!call.memory().is_ram(entry, 8)) return kNowhere;
    const auto low = call.memory().read<std::uint32_t>(entry + 2) & 0xFF'FFFF;
    return Gpa{low | std::uint64_t{call.memory().read<std::uint8_t>(entry + 7)} << 24U};
  };
  const std::uint64_t count = std::uint64_t{r.cx()} * 2;
  const Gpa from = base_at(0x10);
  const Gpa to = base_at(0x18);
  const bool is_possible =
      r.cx() <= 0x8000 && call.memory().is_ram(from, count) && call.memory().is_ram(to, count);
  if (is_possible) call.memory().write_bytes(to, call.memory().read_bytes(from, count));
  r.set_ah(is_possible ? 0 : 2);
  call.set_carry(!is_possible);
}

void tell_extended_memory(BiosCall& call) {
  call.call.name = "read the size of extended memory";
  call.registers().set_ax(
      static_cast<std::uint16_t>(std::min<std::uint64_t>(extended_bytes(call) / kKiB, 0xFFFF)));
  call.set_carry(false);
}

void tell_two_sizes(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the sizes of extended memory";
  const std::uint64_t bytes = extended_bytes(call);
  const std::uint64_t below_16 = std::min(bytes, 15 * kMiB) / kKiB;
  const std::uint64_t above_16 = (bytes - std::min(bytes, 15 * kMiB)) / (64 * kKiB);
  r.set_ax(static_cast<std::uint16_t>(below_16));
  r.set_bx(static_cast<std::uint16_t>(above_16));
  r.set_cx(r.ax());
  r.set_dx(r.bx());
  call.set_carry(false);
}

void tell_configuration(BiosCall& call) {
  Registers& r = call.registers();
  call.call.name = "read the configuration";
  r.es = Segment::real_mode(kRomSegment);
  r.set_bx(static_cast<std::uint16_t>(kConfigurationTable.value() & 0xFFFF));
  r.set_ah(0);
  call.set_carry(false);
}

void tell_ebda(BiosCall& call) {
  call.call.name = "read the segment of the EBDA";
  call.registers().es = Segment::real_mode(call.memory().read<std::uint16_t>(kBiosEbda));
  call.set_carry(false);
}

// AH = 86h: CX:DX microseconds of the time that is told in ticks.
void wait(BiosCall& call) {
  constexpr std::uint64_t kTick = 54'925;  // microseconds: 65536 / 1.193182 MHz
  const Registers& r = call.registers();
  call.call.name = "wait";
  call.bios.waited += std::uint64_t{r.cx()} << 16U | r.dx();
  count_ticks(static_cast<std::uint32_t>(call.bios.waited / kTick), call.memory());
  call.bios.waited %= kTick;
  call.set_carry(false);
}

}  // namespace

void serve_equipment(BiosCall& call) {
  call.call.name = "read the equipment";
  call.registers().set_ax(call.memory().read<std::uint16_t>(kBiosEquipment));
}

void serve_memory_size(BiosCall& call) {
  call.call.name = "read the size of memory";
  call.registers().set_ax(call.memory().read<std::uint16_t>(kBiosMemorySize));
}

void serve_system(BiosCall& call) {
  Registers& r = call.registers();
  if (r.ax() == 0xE820) return tell_memory_map(call);
  if (r.ax() == 0xE801) return tell_two_sizes(call);
  switch (r.ah()) {
    case 0x24:
      return serve_a20(call);
    case 0x86:
      return wait(call);
    case 0x87:
      return move_block(call);
    case 0x88:
      return tell_extended_memory(call);
    case 0xC0:
      return tell_configuration(call);
    case 0xC1:
      return tell_ebda(call);
    default:
      refuse(call);
      r.set_ah(0x86);
  }
}

void serve_printer(BiosCall& call) {
  constexpr std::uint8_t kTimeout = 1;
  call.call.name = "a printer, of which there is none";
  call.registers().set_ah(kTimeout);
}

void serve_no_disk(BiosCall& call) {
  call.call.name = "no disk to boot from";
  call.guest.stop("it gave up booting (INT 18h)");
}

void serve_reboot(BiosCall& call) {
  call.call.name = "boot again";
  call.guest.stop("it rebooted (INT 19h, or a jump to F000:FFF0)");
}

}  // namespace hltest::internal
