#include "machine/port_log.h"
#include <hltest/memory_layout.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest {
namespace {

const char* width_name(std::uint8_t size) {
  return size == 1 ? "byte" : size == 2 ? "word" : "dword";
}

}  // namespace

std::string to_string(const PortAccess& access) {
  return fmt::format("{} {:#x}, {} {:#x}{}", access.direction == Direction::kOut ? "out" : "in",
                     access.port, width_name(access.size), access.value,
                     access.scripted ? "" : " (floating bus)");
}

void PortLog::add(const PortAccess& access) {
  if (accesses_.size() < kMostKept) {
    accesses_.push_back(access);
  } else {
    ++dropped_;
  }
}

std::vector<PortAccess> PortLog::writes(Port port) const {
  std::vector<PortAccess> writes;
  std::ranges::copy_if(accesses_, std::back_inserter(writes), [port](const PortAccess& access) {
    return access.port == port && access.direction == Direction::kOut;
  });
  return writes;
}

std::vector<std::uint32_t> PortLog::values(Port port) const {
  std::vector<std::uint32_t> values;
  for (const PortAccess& write : writes(port)) values.push_back(write.value);
  return values;
}

std::vector<std::uint8_t> PortLog::bytes(Port port) const {
  std::vector<std::uint8_t> bytes;
  for (const PortAccess& write : writes(port)) {
    for (unsigned i = 0; i < write.size; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(write.value >> (8 * i)));
    }
  }
  return bytes;
}

std::string PortLog::text(Port port) const {
  const std::vector<std::uint8_t> characters = bytes(port);
  return {characters.begin(), characters.end()};
}

std::vector<Port> PortLog::written_ports() const {
  std::vector<Port> ports;
  for (const PortAccess& access : accesses_) {
    if (access.direction == Direction::kOut &&
        std::ranges::find(ports, access.port) == ports.end()) {
      ports.push_back(access.port);
    }
  }
  return ports;
}

std::string serial_text(const PortLog& log) {
  constexpr unsigned kLineControl = 3;
  constexpr unsigned kDivisorLatch = 0x80;
  std::array<bool, 4> latch_open{};
  std::string text;
  for (const PortAccess& access : log.accesses()) {
    if (access.direction != Direction::kOut) continue;
    for (std::size_t i = 0; const Port base : {kCom1, kCom2, kCom3, kCom4}) {
      if (access.port == base + kLineControl) {
        latch_open.at(i) = (access.value & kDivisorLatch) != 0;
      } else if (access.port == base && !latch_open.at(i)) {
        text += static_cast<char>(access.value);
      }
      ++i;
    }
  }
  return text;
}

}  // namespace hltest
