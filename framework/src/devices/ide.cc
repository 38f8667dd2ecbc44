// ATA/ATAPI-6 (T13 1410D): registers in section 7, PIO transfers in 9, commands in 8.
#include "devices/ide.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace hltest::internal {
namespace {

constexpr Port kData = 0x1F0;
constexpr Port kDevice = 0x1F6;
constexpr Port kCommand = 0x1F7;  // the status, when read
constexpr Port kControl = 0x3F6;  // the status again, when read

constexpr std::uint8_t kReady = 0x50;
constexpr std::uint8_t kDataRequest = 0x08;
constexpr std::uint8_t kErrorBit = 0x01;
constexpr std::uint8_t kAborted = 0x04;
constexpr std::uint8_t kNotFound = 0x10;

constexpr std::uint8_t kLbaBit = 0x40;     // of the device register
constexpr std::uint8_t kHighOrder = 0x80;  // of the device control register
constexpr unsigned kCount = 1;
constexpr unsigned kLow = 2;
constexpr unsigned kMid = 3;
constexpr unsigned kHigh = 4;

bool is_write_command(std::uint8_t command) {
  return command == 0x30 || command == 0x31 || command == 0x34 || command == 0xC5;
}

std::uint64_t last(std::uint16_t task) { return task & 0xFFU; }
std::uint64_t first(std::uint16_t task) { return task >> 8U; }

// The first sector that a command names; nothing where its cylinder, head or sector is not there.
std::optional<std::uint64_t> address_of(const IdeState& state, const Disk& disk, bool is_48_bit) {
  const auto join = [&state](auto byte_of) {
    return byte_of(state.task[kLow]) | byte_of(state.task[kMid]) << 8U |
           byte_of(state.task[kHigh]) << 16U;
  };
  const std::uint64_t low = join(last);
  if (is_48_bit) return low | join(first) << 24U;
  if ((state.device & kLbaBit) != 0) return low | std::uint64_t{state.device & 0x0FU} << 24U;
  const DiskGeometry geometry = disk.geometry();
  const unsigned head = state.device & 0x0FU;
  const std::uint64_t cylinder = low >> 8U;
  const std::uint64_t sector = last(state.task[kLow]);
  if (sector == 0 || sector > geometry.sectors || head >= geometry.heads) return std::nullopt;
  return (cylinder * geometry.heads + head) * geometry.sectors + sector - 1;
}

}  // namespace

Disk* Ide::selected() const { return disk_((state_.device & 0x10U) != 0 ? 1 : 0); }

void Ide::request_interrupt() {
  constexpr std::uint8_t kNoInterrupts = 2;
  constexpr unsigned kIrq = 14;
  if ((state_.control & kNoInterrupts) == 0) pic_->raise(kIrq);
}

void Ide::end_with(std::uint8_t error) {
  state_.error = error;
  state_.status = error != 0 ? kReady | kErrorBit : kReady;
  state_.left = 0;
  state_.position = Disk::kSectorSize;
  request_interrupt();
}

void Ide::reset() {
  const std::uint8_t control = state_.control;
  state_ = {};
  state_.control = control;
  state_.error = 1;  // no fault
}

std::optional<std::uint64_t> Ide::read(const Access& access, GuestView& /*guest*/) {
  const Port port = access.port();
  if (port == kData) return read_data(access.size);
  if (port == kDevice) return state_.device | 0xA0U;
  if (port == kCommand || port == kControl) {
    return selected() != nullptr ? state_.status : std::uint8_t{0};
  }
  if (port == kData + 1) return state_.error;
  // HOB, by which the bytes above the last are read of a 48-bit command (7.9.6).
  const std::uint16_t task = state_.task.at(port - kData - 1U);
  return (state_.control & kHighOrder) != 0 ? first(task) : last(task);
}

bool Ide::write(const Access& access, GuestView& /*guest*/) {
  const auto value = static_cast<std::uint8_t>(access.value);
  const Port port = access.port();
  if (port != kControl) state_.control &= static_cast<std::uint8_t>(~kHighOrder);
  if (port == kData) {
    write_data(access.value, access.size);
  } else if (port == kCommand) {
    execute(value);
  } else if (port == kDevice) {
    state_.device = value;
  } else if (port == kControl) {
    constexpr std::uint8_t kReset = 4;
    state_.control = value;
    if ((value & kReset) != 0) reset();
  } else {
    std::uint16_t& task = state_.task.at(port - kData - 1U);
    task = static_cast<std::uint16_t>(task << 8U | value);
  }
  return true;
}

void Ide::execute(std::uint8_t command) {
  Disk* const disk = selected();
  if (disk == nullptr) return;
  switch (command) {
    case 0x20:  // READ SECTORS
    case 0x21:
    case 0xC4:
    case 0x30:  // WRITE SECTORS
    case 0x31:
    case 0xC5:
    case 0x40:  // READ VERIFY
      return begin_transfer(command, false);
    case 0x24:  // READ SECTORS EXT
    case 0x34:  // WRITE SECTORS EXT
      return begin_transfer(command, true);
    case 0xEC:
      return identify(*disk);
    case 0x10:  // RECALIBRATE
    case 0x91:  // INITIALIZE DEVICE PARAMETERS
    case 0xC6:  // SET MULTIPLE MODE
    case 0xE7:  // FLUSH CACHE
    case 0xEA:  // FLUSH CACHE EXT
    case 0xEF:  // SET FEATURES
      return end_with(0);
    default:
      return end_with(kAborted);
  }
}

void Ide::begin_transfer(std::uint8_t command, bool is_48_bit) {
  constexpr std::uint32_t kOfZero = 256;
  const std::uint32_t count = is_48_bit ? state_.task[kCount] : state_.task[kCount] & 0xFFU;
  const auto lba = address_of(state_, *selected(), is_48_bit);
  state_.command = command;
  state_.lba = lba.value_or(0);
  state_.left = count != 0 ? count : is_48_bit ? kOfZero * kOfZero : kOfZero;
  const std::uint64_t sectors = selected()->sectors();
  if (!lba || *lba >= sectors) return end_with(kNotFound);
  constexpr std::uint8_t kVerify = 0x40;
  if (command == kVerify) return end_with(state_.left <= sectors - *lba ? 0 : kNotFound);
  if (!is_write_command(command)) return load_sector();
  state_.error = 0;
  state_.status = kReady | kDataRequest;
  state_.position = 0;
}

void Ide::load_sector() {
  // A guest may have chosen another device meanwhile.
  if (selected() == nullptr || state_.lba >= selected()->sectors()) return end_with(kNotFound);
  state_.buffer = selected()->read(state_.lba);
  state_.error = 0;
  state_.status = kReady | kDataRequest;
  state_.position = 0;
  request_interrupt();
}

std::uint64_t Ide::read_data(std::uint8_t size) {
  std::uint64_t value = 0;
  if ((state_.status & kDataRequest) == 0 || is_write_command(state_.command)) return value;
  const auto count = std::min<std::size_t>(size, state_.buffer.size() - state_.position);
  std::memcpy(&value, state_.buffer.data() + state_.position, count);
  state_.position = static_cast<std::uint16_t>(state_.position + count);
  if (state_.position < state_.buffer.size()) return value;
  if (--state_.left == 0) {
    state_.status = kReady;
  } else {
    ++state_.lba;
    load_sector();
  }
  return value;
}

void Ide::write_data(std::uint64_t value, std::uint8_t size) {
  if ((state_.status & kDataRequest) == 0 || !is_write_command(state_.command)) return;
  const auto count = std::min<std::size_t>(size, state_.buffer.size() - state_.position);
  std::memcpy(state_.buffer.data() + state_.position, &value, count);
  state_.position = static_cast<std::uint16_t>(state_.position + count);
  if (state_.position < state_.buffer.size()) return;
  if (selected() == nullptr || state_.lba >= selected()->sectors()) return end_with(kNotFound);
  selected()->write(state_.lba, state_.buffer);
  if (--state_.left == 0) return end_with(0);
  ++state_.lba;
  state_.position = 0;
  request_interrupt();
}

void Ide::identify(const Disk& disk) {
  std::array<std::uint16_t, Disk::kSectorSize / 2> words{};
  const DiskGeometry geometry = disk.geometry();
  const auto put_text = [&words](std::size_t at, std::string_view text, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      // The first character of a word is its high byte.
      const std::uint16_t one = static_cast<unsigned char>(i < text.size() ? text[i] : ' ');
      words.at(at + i / 2) |= static_cast<std::uint16_t>(i % 2 == 0 ? one << 8U : one);
    }
  };
  const auto put_number = [&words](std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      words.at(at + i) = static_cast<std::uint16_t>(value >> (16 * i));
    }
  };
  constexpr std::uint64_t kMost28Bit = (1U << 28U) - 1;
  words[0] = 0x0040;  // a fixed device
  put_number(1, geometry.cylinders, 1);
  put_number(3, geometry.heads, 1);
  put_number(6, geometry.sectors, 1);
  put_text(10, "1", 20);
  put_text(23, "1", 8);
  put_text(27, "hltest disk", 40);
  words[49] = 0x0200;  // LBA
  put_number(60, std::min(disk.sectors(), kMost28Bit), 2);
  words[80] = 0x0040;  // ATA/ATAPI-6
  words[83] = 0x4400;  // 48-bit addresses
  words[86] = 0x0400;
  put_number(100, disk.sectors(), 4);
  std::memcpy(state_.buffer.data(), words.data(), sizeof words);
  state_.command = 0xEC;
  state_.left = 1;
  state_.error = 0;
  state_.status = kReady | kDataRequest;
  state_.position = 0;
  request_interrupt();
}

}  // namespace hltest::internal
