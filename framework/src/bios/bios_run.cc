#include "bios/bios_run.h"

#include <algorithm>
#include <array>
#include <utility>

#include <hltest/memory_layout.h>

#include "vm/backing.h"

namespace hltest::internal {

namespace {

Gpa through_a20(const GuestView& guest, Gpa gpa) {
  return guest.a20_is_open() ? gpa : through_closed_a20(gpa);
}

// Calls `move` for each part of a range behind the gate that is RAM: of a closed one, what goes on
// beyond a MiB goes on elsewhere.
template <typename Bytes, typename Move>
void for_each_part(const BiosCall& call, Gpa gpa, Bytes bytes, const Move& move) {
  while (!bytes.empty()) {
    const auto size = std::min<std::uint64_t>(bytes.size(), kMiB - gpa.value() % kMiB);
    const Gpa behind = through_a20(call.guest, gpa);
    if (call.memory().is_ram(behind, size)) move(behind, bytes.first(size));
    bytes = bytes.subspan(size);
    gpa = gpa + size;
  }
}

}  // namespace

Gpa BiosCall::address(const Segment& segment, std::uint16_t offset) const {
  return through_a20(guest, Gpa{segment.base.value() + offset});
}

void BiosCall::write(Gpa gpa, std::span<const std::uint8_t> bytes) const {
  for_each_part(*this, gpa, bytes, [this](Gpa at, auto part) { memory().write_bytes(at, part); });
}

void BiosCall::read(Gpa gpa, std::span<std::uint8_t> bytes) const {
  std::ranges::fill(bytes, std::uint8_t{0xFF});
  for_each_part(*this, gpa, bytes, [this](Gpa at, auto part) {
    std::ranges::copy(memory().read_bytes(at, part.size()), part.begin());
  });
}

void refuse(BiosCall& call) {
  leave(call);
  call.set_carry(true);
}

void leave(BiosCall& call) {
  call.call.is_known = false;
  call.call.name = "a function that this BIOS does not have";
}

void serve_nothing(BiosCall& call) { call.call.name = "nothing: a vector for handlers of others"; }

void serve_second_pic(BiosCall& call) {
  constexpr unsigned kFirstVector = 0x70;
  constexpr unsigned kFirstIrq = 8;
  call.call.name = "an interrupt of the second controller";
  if (call.bios.pic == nullptr) return;
  call.bios.pic->end_of_interrupt(static_cast<unsigned>(call.call.vector) - kFirstVector +
                                  kFirstIrq);
}

void install(BiosRun& bios, ServiceTable& services) {
  constexpr std::array kServices = {
      std::pair{0x08, &serve_timer},       std::pair{0x09, &serve_key},
      std::pair{0x10, &serve_video},       std::pair{0x11, &serve_equipment},
      std::pair{0x12, &serve_memory_size}, std::pair{0x13, &serve_disk},
      std::pair{0x14, &serve_serial},      std::pair{0x15, &serve_system},
      std::pair{0x16, &serve_keyboard},    std::pair{0x17, &serve_printer},
      std::pair{0x18, &serve_no_disk},     std::pair{0x19, &serve_reboot},
      std::pair{0x1A, &serve_clock},       std::pair{0x1B, &serve_nothing},
      std::pair{0x1C, &serve_nothing},     std::pair{0x4A, &serve_nothing},
      std::pair{0x70, &serve_second_pic},  std::pair{0x71, &serve_second_pic},
      std::pair{0x72, &serve_second_pic},  std::pair{0x73, &serve_second_pic},
      std::pair{0x74, &serve_second_pic},  std::pair{0x75, &serve_second_pic},
      std::pair{0x76, &serve_second_pic},  std::pair{0x77, &serve_second_pic}};
  for (const auto& each : kServices) {
    const auto serve = each.second;  // clang++ 14 captures no structured binding
    services.add_last(static_cast<Vector>(each.first),
                      [&bios, serve](ServiceCall& call, GuestView& guest) {
                        // Exceptions have the same vectors, and a BIOS is real-mode code.
                        if (call.before.cr0.pe()) return false;
                        BiosCall one{.bios = bios, .call = call, .guest = guest};
                        serve(one);
                        return true;
                      });
  }
}

}  // namespace hltest::internal
