#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "../waiting_guest.h"
#include "bios/bios_data.h"
#include "bios/bios_run.h"

namespace hltest::internal {

/// Calls services as a guest would, without one.
class ServiceTest : public ::testing::Test, public WaitingGuest {
 protected:
  ServiceTest() {
    put_bios_data(bios_.settings, 0, 1, memory_);
    bios_.cmos = std::make_shared<Cmos>(memory_.size(), std::make_shared<Pic>());
    bios_.vga = std::make_shared<Vga>();
    bios_.drives.emplace(kFirstHardDisk, Disk{20'000});
    install(bios_, services_);
  }

  /// INT `vector` in real mode; what the guest goes on with.
  Registers call(unsigned vector, const GeneralRegisters& general, std::uint16_t es = 0,
                 std::uint16_t ds = 0) {
    Registers before;
    static_cast<GeneralRegisters&>(before) = general;
    before.set_all_segments(Segment::real_mode(0));
    before.es = Segment::real_mode(es);
    before.ds = Segment::real_mode(ds);
    call_ = {.vector = static_cast<Vector>(vector), .before = before, .after = before};
    EXPECT_TRUE(services_.on_handler(call_, *this));
    return call_.after;
  }
  Registers type(char character) {
    return call(0x10, {.rax = 0x0E00U | static_cast<unsigned char>(character)});
  }
  /// Character and attribute on the first page.
  std::uint16_t cell(unsigned row, unsigned column) {
    return memory_.read<std::uint16_t>(kTextScreen + (row * 80 + column) * 2);
  }
  std::string row(unsigned row) { return text_screen(memory_).at(row); }

  BiosRun bios_;
  ServiceTable services_;
  ServiceCall call_;
};

}  // namespace hltest::internal
