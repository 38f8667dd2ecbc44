#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include <hltest/disk.h>

#include "devices/pic.h"
#include "devices/state.h"

namespace hltest::internal {

struct IdeState {
  std::uint8_t error = 0;
  std::uint8_t status = 0x50;  ///< ready
  std::uint8_t control = 0;    ///< the device control register, port 3F6h
  std::uint8_t command = 0;    ///< that moves data
  // Each takes two bytes, the first of which a 48-bit command has above the last.
  std::array<std::uint16_t, 5> task{0, 1, 1, 0, 0};  ///< features, count, LBA low, mid, high
  std::uint8_t device = 0;
  std::uint64_t lba = 0;         ///< of the sector in the buffer
  std::uint32_t left = 0;        ///< sectors, with the one in the buffer
  std::uint16_t position = 512;  ///< in the buffer; at its end, no data is moved
  std::array<std::uint8_t, Disk::kSectorSize> buffer{};
};

/// The first IDE channel, at ports 1F0h to 1F7h and 3F6h: PIO transfers by CHS, 28-bit and 48-bit
/// LBA. It needs no time: a sector is there when the command was written.
class Ide : public PlainDevice<IdeState> {
 public:
  /// `disk` tells the disk of device 0 or 1, or that there is none.
  Ide(std::shared_ptr<Pic> pic, std::function<Disk*(unsigned device)> disk)
      : pic_(std::move(pic)), disk_(std::move(disk)) {}

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override;
  bool write(const Access& access, GuestView& guest) override;

 private:
  [[nodiscard]] Disk* selected() const;
  std::uint64_t read_data(std::uint8_t size);
  void write_data(std::uint64_t value, std::uint8_t size);
  void reset();
  void execute(std::uint8_t command);
  void begin_transfer(std::uint8_t command, bool is_48_bit);
  // Reads the sector that is next into the buffer; where there is none, ends with an error.
  void load_sector();
  void identify(const Disk& disk);
  void end_with(std::uint8_t error);
  void request_interrupt();

  std::shared_ptr<Pic> pic_;
  std::function<Disk*(unsigned device)> disk_;
};

}  // namespace hltest::internal
