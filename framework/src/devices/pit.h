#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "devices/pic.h"
#include "devices/state.h"

namespace hltest::internal {

struct PitState {
  struct Channel {
    std::uint16_t reload = 0;  ///< 0 is 65536
    std::uint16_t count = 0;
    std::uint16_t latched = 0;
    bool is_latched = false;
    std::uint8_t bytes = 3;  ///< 1: the low one; 2: the high one; 3: low, then high
    bool is_at_high = false;
    std::uint8_t mode = 6;    ///< with the BCD bit, as a control word has them
    bool has_status = false;  ///< that the next read gives
  };
  std::array<Channel, 3> channels{};
  std::uint8_t port_61 = 0;
  std::uint64_t halted_at = 0;  ///< the linear address of the last HLT
  unsigned halts = 0;           ///< there, one after the other
};

/// The 8254 timer at ports 40h to 43h and its gate at port 61h, in virtual time: channel 0 ticks
/// each time the guest waits for it in a HLT, and counters count down with each read of them. A
/// guest that has halted 400 times at one place has come to its end.
class Pit : public PlainDevice<PitState> {
 public:
  static constexpr unsigned kMostHalts = 400;

  explicit Pit(std::shared_ptr<Pic> pic) : pic_(std::move(pic)) {}

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  void halted(GuestView& guest) override;

 private:
  void control(std::uint8_t value);
  static void latch(PitState::Channel& channel);

  std::shared_ptr<Pic> pic_;
};

}  // namespace hltest::internal
