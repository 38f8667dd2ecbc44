#include <hltest/access.h>
#include <hltest/memory_layout.h>

#include <array>
#include <unordered_map>

namespace hltest {
namespace {

void append(std::vector<std::uint8_t>& bytes, const Access& write) {
  for (unsigned i = 0; i < write.size; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(write.value >> (8 * i)));
  }
}

}  // namespace

std::vector<Access> PortView::writes(Port port) const {
  std::vector<Access> writes;
  for (const Access& access : *this) {
    if (!access.is_read() && access.port() == port) writes.push_back(access);
  }
  return writes;
}

std::vector<std::uint32_t> PortView::values(Port port) const {
  std::vector<std::uint32_t> values;
  for (const Access& access : *this) {
    if (!access.is_read() && access.port() == port) {
      values.push_back(static_cast<std::uint32_t>(access.value));
    }
  }
  return values;
}

std::vector<std::uint8_t> PortView::bytes(Port port) const {
  std::vector<std::uint8_t> bytes;
  for (const Access& access : *this) {
    if (!access.is_read() && access.port() == port) append(bytes, access);
  }
  return bytes;
}

std::string PortView::text(Port port) const {
  const std::vector<std::uint8_t> characters = bytes(port);
  return {characters.begin(), characters.end()};
}

std::vector<PortView::Output> PortView::outputs() const {
  std::vector<Output> outputs;
  std::unordered_map<Port, std::size_t> places;
  for (const Access& access : *this) {
    if (access.is_read()) continue;
    const auto [place, is_new] = places.try_emplace(access.port(), outputs.size());
    if (is_new) outputs.push_back({.port = access.port()});
    append(outputs[place->second].bytes, access);
  }
  return outputs;
}

std::vector<Port> PortView::written_ports() const {
  std::vector<Port> ports;
  for (const Output& output : outputs()) ports.push_back(output.port);
  return ports;
}

std::optional<char> SerialOutput::transmitted(const Access& access) {
  constexpr unsigned kLineControl = 3;
  constexpr unsigned kDivisorLatch = 0x80;
  constexpr unsigned kModemControl = 4;
  constexpr unsigned kLoop = 0x10;
  constexpr Port kFirst = kCom4;  // the lowest of the four
  if (access.is_read() || access.space != Space::kPort || access.port() < kFirst) {
    return std::nullopt;
  }
  for (std::size_t i = 0; const Port base : {kCom1, kCom2, kCom3, kCom4}) {
    if (access.port() == base + kLineControl) {
      latch_open_.at(i) = (access.value & kDivisorLatch) != 0;
    } else if (access.port() == base + kModemControl) {
      is_in_loop_.at(i) = (access.value & kLoop) != 0;
    } else if (access.port() == base && !latch_open_.at(i) && !is_in_loop_.at(i)) {
      return static_cast<char>(access.value);
    }
    ++i;
  }
  return std::nullopt;
}

std::string serial_text(const AccessLog& log) {
  constexpr Vector kSerialService{0x14};
  SerialOutput output;
  std::string text;
  auto call = log.calls().begin();
  for (std::uint64_t i = 0; i < log.size(); ++i) {
    if (const auto character = output.transmitted(log[i])) text += *character;
    // A call is an access, too.
    for (; call != log.calls().end() && call->access <= i; ++call) {
      if (call->vector == kSerialService) text += call->text;
    }
  }
  return text;
}

}  // namespace hltest
