#include "bios/bios_run.h"

#include <array>
#include <utility>

namespace hltest::internal {

void BiosCall::write(Gpa gpa, std::span<const std::uint8_t> bytes) const {
  if (memory().is_ram(gpa, bytes.size())) memory().write_bytes(gpa, bytes);
}

void refuse(BiosCall& call) {
  call.call.is_known = false;
  call.call.name = "a function that this BIOS does not have";
  call.set_carry(true);
}

void install(BiosRun& bios, ServiceTable& services) {
  constexpr std::array kServices = {
      std::pair{0x08, &serve_timer},       std::pair{0x09, &serve_key},
      std::pair{0x10, &serve_video},       std::pair{0x11, &serve_equipment},
      std::pair{0x12, &serve_memory_size}, std::pair{0x13, &serve_disk},
      std::pair{0x14, &serve_serial},      std::pair{0x15, &serve_system},
      std::pair{0x16, &serve_keyboard},    std::pair{0x17, &serve_printer},
      std::pair{0x18, &serve_no_disk},     std::pair{0x19, &serve_reboot},
      std::pair{0x1A, &serve_clock}};
  for (const auto& [vector, serve] : kServices) {
    services.add_last(static_cast<Vector>(vector),
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
