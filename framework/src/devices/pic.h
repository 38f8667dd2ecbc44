#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "devices/state.h"

namespace hltest::internal {

/// True when the guest has a handler of its own for a vector, rather than the BIOS's.
bool has_own_handler(Vector vector, GuestView& guest);

/// One of the two 8259A interrupt controllers of a PC, as its guest has programmed it.
struct PicState {
  std::uint8_t mask = 0;
  std::uint8_t requested = 0;
  std::uint8_t in_service = 0;
  std::uint8_t offset = 0;         ///< the vector of its first line
  std::uint8_t expected_word = 0;  ///< of the initialisation words, the next; 0 when it is over
  bool wants_word_4 = false;
  bool is_automatic = false;  ///< the end of an interrupt needs no command
  bool reads_in_service = false;
};

/// The pair of them, at ports 20h, 21h, A0h and A1h: IRQ 0 to 15 become vectors. As a BIOS leaves
/// them: IRQ 0 to 7 are vectors 8 to 15, IRQ 8 to 15 are 70h to 77h, and none is masked.
class Pic : public PlainDevice<std::array<PicState, 2>> {
 public:
  Pic();

  /// A device requests an interrupt.
  void raise(unsigned irq);
  /// What the BIOS's own handlers do at their end.
  void end_of_interrupt(unsigned irq);
  /// True from its delivery to its end.
  [[nodiscard]] bool is_in_service(unsigned irq) const;
  /// The vector that an IRQ leads to.
  [[nodiscard]] Vector vector_of(unsigned irq) const;

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;
  [[nodiscard]] std::optional<Vector> interrupt() const override;
  void acknowledge(Vector vector) override;

 private:
  // The line of a controller that is next: the lowest that is neither masked nor held off by one in
  // service.
  [[nodiscard]] static std::optional<unsigned> next(const PicState& pic);
  [[nodiscard]] std::optional<unsigned> next_irq() const;
  static void command(PicState& pic, std::uint8_t value);
  static void data(PicState& pic, std::uint8_t value);
};

}  // namespace hltest::internal
