#include "qemu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>

namespace hltest::oracle {
namespace {

using Clock = std::chrono::steady_clock;

// No test expects these times: they end one whose guest or whose QEMU hangs.
constexpr std::chrono::seconds kLongestRun{20};
constexpr std::chrono::seconds kLongestAnswer{20};

constexpr std::uint64_t kMostInPacket = 1024;

// GDB's remote protocol: $text#sum.
std::string framed(const std::string& text) {
  const unsigned sum = std::accumulate(text.begin(), text.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  return fmt::format("${}#{:02x}", text, sum & 0xFFU);
}

std::vector<std::uint8_t> from_hex(const std::string& digits) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string send_key(char key) {
  const auto code = static_cast<unsigned char>(key);
  const std::string name = key == '\n' ? "ret" : std::string{static_cast<char>(std::tolower(code))};
  const std::string shift = std::isupper(code) != 0 ? R"({"type":"qcode","data":"shift"},)" : "";
  return fmt::format(
      R"({{"execute":"send-key","arguments":{{"keys":[{}{{"type":"qcode","data":"{}"}}]}}}})",
      shift, name);
}

}  // namespace

Qemu::Qemu(const std::map<Drive, Disk>& disks, Drive boot) : process_(folder_.path(), disks, boot) {
  execute(R"({"execute":"qmp_capabilities"})");
  expect_ok("Qqemu.PhyMemMode:1");
}

// The text of the next packet; empty if none comes.
std::string Qemu::answer(std::chrono::seconds longest) {
  const auto deadline = Clock::now() + longest;
  std::string& pending = process_.debugger().pending;
  while (true) {
    const std::size_t begin = pending.find('$');
    const std::size_t end = begin == std::string::npos ? begin : pending.find('#', begin);
    if (end != std::string::npos && end + 2 < pending.size()) {
      const std::string text = pending.substr(begin + 1, end - begin - 1);
      pending.erase(0, end + 3);
      process_.debugger().send("+");
      return text;
    }
    if (!process_.debugger().receive(deadline)) return {};
  }
}

std::string Qemu::ask(const std::string& packet) {
  process_.debugger().send(framed(packet));
  std::string text = answer(kLongestAnswer);
  if (text.empty() || text[0] == 'E') {
    throw std::runtime_error(
        fmt::format("QEMU's debugger interface answers {} with \"{}\"", packet, text));
  }
  return text;
}

void Qemu::expect_ok(const std::string& packet) {
  const std::string text = ask(packet);
  if (text != "OK") throw std::runtime_error("QEMU answers " + packet + " with " + text);
}

// A command of QEMU's monitor protocol; returns its answer, and drops events.
std::string Qemu::execute(const std::string& command) {
  process_.monitor().send(command + "\n");
  const auto deadline = Clock::now() + kLongestAnswer;
  std::string& pending = process_.monitor().pending;
  while (true) {
    for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
      const std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      if (line.starts_with(R"({"return")")) return line;
      if (line.starts_with(R"({"error")")) throw std::runtime_error(command + ": " + line);
    }
    if (!process_.monitor().receive(deadline)) {
      throw std::runtime_error("QEMU's monitor does not answer " + command);
    }
  }
}

void Qemu::type(const std::string& keys) {
  if (keys.empty()) return;
  // Keys for a machine that does not run are lost, and the other channel starts it.
  const auto deadline = Clock::now() + kLongestAnswer;
  while (execute(R"({"execute":"query-status"})").find(R"("running": true)") == std::string::npos) {
    if (Clock::now() >= deadline) throw std::runtime_error("QEMU's guest does not run");
  }
  for (const char key : keys) execute(send_key(key));
}

void Qemu::run_to(Gva address, const std::string& keys) {
  const std::string breakpoint = fmt::format("0,{:x},1", address.value());
  expect_ok("Z" + breakpoint);
  process_.debugger().send(framed("c"));
  type(keys);
  if (answer(kLongestRun).empty()) {
    process_.debugger().send("\x03");
    if (answer(kLongestAnswer).empty()) throw std::runtime_error("QEMU hangs");
    NamedRegisters at = registers();
    throw std::runtime_error(fmt::format(
        "in {} seconds, the guest in QEMU does not come to {}: it is at {:04x}:{:x}, EAX = {:x}",
        kLongestRun.count(), to_string(address), at["cs"], at["rip"], at["rax"]));
  }
  expect_ok("z" + breakpoint);
}

NamedRegisters Qemu::registers() {
  // In the order of GDB's description of x86-64.
  constexpr std::array kWide = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
                                "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip"};
  constexpr std::array kNarrow = {"rflags", "cs", "ss", "ds", "es", "fs", "gs"};
  const std::vector<std::uint8_t> bytes = from_hex(ask("g"));
  std::size_t at = 0;
  const auto next = [&](std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes.at(at++)} << (8U * i);
    return value;
  };
  NamedRegisters registers;
  for (const char* const name : kWide) registers[name] = next(8);
  for (const char* const name : kNarrow) registers[name] = next(4);
  return registers;
}

void Qemu::set_stack_pointer(std::uint16_t sp) {
  constexpr std::size_t kRsp = 7;  // the eighth of 16 digits each
  std::string all = ask("g");
  all.replace(kRsp * 16, 4, fmt::format("{:02x}{:02x}", sp & 0xFFU, sp >> 8U));
  expect_ok("G" + all);
}

std::vector<std::uint8_t> Qemu::read(Gpa from, std::uint64_t size) {
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < size) {
    const std::uint64_t count = std::min(kMostInPacket, size - bytes.size());
    const auto part = from_hex(ask(fmt::format("m{:x},{:x}", from.value() + bytes.size(), count)));
    if (part.size() != count) throw std::runtime_error("QEMU reads less than it was asked for");
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

void Qemu::write(Gpa to, std::span<const std::uint8_t> bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kMostInPacket) {
    const auto part = bytes.subspan(at, std::min<std::size_t>(kMostInPacket, bytes.size() - at));
    std::string digits;
    for (const std::uint8_t byte : part) digits += fmt::format("{:02x}", byte);
    expect_ok(fmt::format("M{:x},{:x}:{}", to.value() + at, part.size(), digits));
  }
}

std::string Qemu::serial() const {
  std::ifstream file{process_.serial_file(), std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

Disk Qemu::disk(Drive drive) const { return Disk::of_file(process_.disk_file(drive).string()); }

}  // namespace hltest::oracle
