#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <hltest/bios.h>
#include <hltest/disk.h>
#include <hltest/service.h>

#include "devices/keyboard_controller.h"
#include "devices/pc_ports.h"
#include "devices/pic.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include "vm/service_table.h"

namespace hltest::internal {

using Drives = std::map<Drive, Disk>;

/// The BIOS of one run: its settings, and what changes while the guest runs. Its services keep the
/// rest where a BIOS has it, in the guest's memory.
struct BiosRun {
  Bios settings{};
  Drives drives{};
  std::size_t next_key = 0;
  std::uint64_t waited = 0;  ///< microseconds by INT 15h, AH = 86h that are no whole tick yet
  unsigned transfers = 0;    ///< calls that read or write a disk, those that failed too
  std::shared_ptr<Pic> pic{};
  char last_key = 0;  ///< that the keyboard has sent
  /// Scan codes and characters that the BIOS's handler for IRQ 1 or INT 16h, AH = 05h has put
  /// there, and INT 16h reads first.
  std::vector<std::uint16_t> buffer{};
  std::shared_ptr<KeyboardController> keyboard{};
  std::shared_ptr<Uart> com1{};
  std::shared_ptr<Cmos> cmos{};
  std::shared_ptr<Vga> vga{};
};

/// Scan code and character of a key that is typed, as INT 16h has them in AX.
std::uint16_t key_code(char typed);
/// How the keyboard sends it.
KeyStroke key_stroke(char typed);

/// What a service of the BIOS works on.
struct BiosCall {
  BiosRun& bios;
  ServiceCall& call;
  GuestView& guest;

  [[nodiscard]] Registers& registers() const { return call.after; }
  [[nodiscard]] GuestMemory& memory() const { return guest.memory(); }
  [[nodiscard]] Vga& vga() const { return *bios.vga; }
  /// Where `segment`:`offset` is in memory, behind the A20 gate.
  [[nodiscard]] Gpa address(const Segment& segment, std::uint16_t offset) const;
  /// Writes where there is RAM, and else nowhere, as a processor would: behind the A20 gate.
  void write(Gpa gpa, std::span<const std::uint8_t> bytes) const;
  /// Reads so, too: ones where there is no RAM.
  void read(Gpa gpa, std::span<std::uint8_t> bytes) const;
  /// Sets or clears the carry flag, by which most services tell an error.
  void set_carry(bool carry) const { call.after.rflags.set(Rflags::kCf, carry); }
};

// Each answers one vector, and names the call as far as it knows the function.
void serve_timer(BiosCall& call);        ///< IRQ 0
void serve_key(BiosCall& call);          ///< IRQ 1
void serve_video(BiosCall& call);        ///< INT 10h
void serve_equipment(BiosCall& call);    ///< INT 11h
void serve_memory_size(BiosCall& call);  ///< INT 12h
void serve_disk(BiosCall& call);         ///< INT 13h
void serve_serial(BiosCall& call);       ///< INT 14h
void serve_system(BiosCall& call);       ///< INT 15h
void serve_keyboard(BiosCall& call);     ///< INT 16h
void serve_printer(BiosCall& call);      ///< INT 17h
void serve_no_disk(BiosCall& call);      ///< INT 18h
void serve_reboot(BiosCall& call);       ///< INT 19h
void serve_clock(BiosCall& call);        ///< INT 1Ah

void serve_nothing(BiosCall& call);     ///< INT 1Bh, 1Ch and 4Ah, which a BIOS leaves to others
void serve_second_pic(BiosCall& call);  ///< IRQ 8 to 15

/// For a function that the BIOS does not have: named as such, and answered with carry set.
void refuse(BiosCall& call);
/// The same for INT 10h and 16h, whose flags say nothing of an unknown function.
void leave(BiosCall& call);

/// Puts the services of a BIOS into a table. `bios` has to live as long as the table.
void install(BiosRun& bios, ServiceTable& services);

}  // namespace hltest::internal
