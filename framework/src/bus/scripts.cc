#include <hltest/error.h>
#include <hltest/scripts.h>

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "bus/device_bus.h"
#include "x86/counted.h"

namespace hltest {
namespace {

template <typename Function>
void check_function(const Function& function, const char* call, std::uint64_t address) {
  if (function != nullptr) return;
  throw SetupError(fmt::format("{}({:#x}): the function is empty", call, address));
}

// Counts as bytes, for `Device::save`.
class State {
 public:
  void put(std::uint64_t value) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
  }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }
  static std::uint64_t take_from(std::span<const std::uint8_t>& bytes) {
    std::uint64_t value = 0;
    if (bytes.size() < sizeof value) return value;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes = bytes.subspan(sizeof value);
    return value;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

// What a test scripted for one port. Its state is how many answers IN has used, and how many writes
// each stop condition has seen.
class ScriptedPort : public Device {
 public:
  using Script = std::variant<std::monostate, Answers, AnswerBytes, Always, Reader>;

  void set_script(Script script) {
    script_ = std::make_shared<Script>(std::move(script));
    used_ = 0;
  }
  void set_writer(Writer writer) { writer_ = std::make_shared<Writer>(std::move(writer)); }
  void stop_after(std::uint64_t count) { conditions_.push_back({.value = {}, .count = count}); }
  void stop_on(std::uint32_t value) { conditions_.push_back({.value = value, .count = 1}); }

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override {
    // Shared, so that one which replaces itself while it is called lives until it returns.
    const std::shared_ptr<Script> script = script_;
    if (const auto* const always = std::get_if<Always>(script.get())) return always->value;
    if (const auto* const call = std::get_if<Reader>(script.get())) return (*call)(access, guest);
    if (const auto* const answers = std::get_if<Answers>(script.get())) {
      if (used_ >= answers->values.size()) return std::nullopt;
      return answers->values[used_++];
    }
    const auto* const bytes = std::get_if<AnswerBytes>(script.get());
    return bytes != nullptr ? next_bytes(*bytes, access.size) : std::nullopt;
  }

  bool write(const Access& access, GuestView& guest) override {
    const std::shared_ptr<Writer> writer = writer_;
    if (writer != nullptr) (*writer)(access, guest);
    for (Condition& condition : conditions_) {
      if (condition.value.has_value() && *condition.value != access.value) continue;
      if (++condition.seen != condition.count) continue;
      guest.stop(condition.value.has_value()
                     ? fmt::format("{:#x} was written to port {:#x}", access.value, access.port())
                     : fmt::format("port {:#x} was written {}", access.port(),
                                   internal::counted(condition.count, "time")));
    }
    return true;
  }

  [[nodiscard]] std::vector<std::uint8_t> save() const override {
    State state;
    state.put(used_);
    for (const Condition& condition : conditions_) state.put(condition.seen);
    return state.take();
  }
  void restore(std::span<const std::uint8_t> state) override {
    used_ = State::take_from(state);
    for (Condition& condition : conditions_) condition.seen = State::take_from(state);
  }

 private:
  struct Condition {
    std::optional<std::uint32_t> value;
    std::uint64_t count;
    std::uint64_t seen = 0;
  };

  std::optional<std::uint64_t> next_bytes(const AnswerBytes& answer, std::uint8_t size) {
    const auto& bytes = answer.bytes;
    if (used_ >= bytes.size()) return std::nullopt;
    std::uint64_t value = floating_bus(size);
    for (unsigned i = 0; i < size && used_ < bytes.size(); ++i) {
      value &= ~(0xFFULL << (8 * i));
      value |= std::uint64_t{bytes[used_++]} << (8 * i);
    }
    return value;
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  std::shared_ptr<Writer> writer_;
  std::vector<Condition> conditions_;
  std::uint64_t used_ = 0;
};

// Functions of the test's at a range of addresses or for an MSR.
class ScriptedRange : public Device {
 public:
  void set_reader(Reader reader) { reader_ = std::make_shared<Reader>(std::move(reader)); }
  void set_writer(Writer writer) { writer_ = std::make_shared<Writer>(std::move(writer)); }

  std::optional<std::uint64_t> read(const Access& access, GuestView& guest) override {
    const std::shared_ptr<Reader> reader = reader_;
    return reader != nullptr ? std::optional{(*reader)(access, guest)} : std::nullopt;
  }
  bool write(const Access& access, GuestView& guest) override {
    const std::shared_ptr<Writer> writer = writer_;
    if (writer != nullptr) (*writer)(access, guest);
    return writer != nullptr;
  }

 private:
  std::shared_ptr<Reader> reader_;
  std::shared_ptr<Writer> writer_;
};

ScriptedPort& scripted_port(internal::DeviceBus& bus, Port port) {
  return bus.device_at<ScriptedPort>({.space = Space::kPort, .first = port, .last = port});
}

ScriptedRange& scripted_msr(internal::DeviceBus& bus, Msr msr, bool reads) {
  const auto index = static_cast<std::uint64_t>(msr);
  auto& device = bus.device_at<ScriptedRange>(
      {.space = Space::kMsr, .first = index, .last = index, .reads = reads, .writes = !reads});
  bus.widen(Space::kMsr, index, reads, !reads);
  return device;
}

}  // namespace

void PortScripts::on_in(Port port, Answers answers) {
  scripted_port(*bus_, port).set_script(std::move(answers));
}
void PortScripts::on_in(Port port, AnswerBytes bytes) {
  scripted_port(*bus_, port).set_script(std::move(bytes));
}
void PortScripts::on_in(Port port, Always answer) { scripted_port(*bus_, port).set_script(answer); }
void PortScripts::on_in_call(Port port, Reader function) {
  check_function(function, "on_in", port);
  scripted_port(*bus_, port).set_script(std::move(function));
}
void PortScripts::on_out_call(Port port, Writer function) {
  check_function(function, "on_out", port);
  scripted_port(*bus_, port).set_writer(std::move(function));
}

void PortScripts::stop_after_writes(Port port, std::uint64_t count) {
  if (count == 0) {
    throw SetupError(fmt::format(
        "stop_after_writes({:#x}, 0): a run can stop at the first write or later", port));
  }
  scripted_port(*bus_, port).stop_after(count);
}
void PortScripts::stop_on_write(Port port, std::uint32_t value) {
  scripted_port(*bus_, port).stop_on(value);
}

void MmioScripts::attach(Gpa base, std::uint64_t size, MmioHandler handler) {
  auto device = std::make_shared<ScriptedRange>();
  if (handler.read.call != nullptr) device->set_reader(std::move(handler.read.call));
  if (handler.write.call != nullptr) device->set_writer(std::move(handler.write.call));
  if (size == 0 || size - 1 > ~base.value()) {
    throw SetupError(
        fmt::format("an MMIO handler for {:#x} bytes at {}: the range is empty or wraps", size,
                    to_string(base)));
  }
  bus_->attach({.space = Space::kMmio, .first = base.value(), .last = base.value() + (size - 1)},
               std::move(device));
}

void MsrScripts::on_read(Msr msr, std::uint64_t value) {
  on_read(msr, [value](const Access& /*access*/) { return value; });
}
void MsrScripts::on_read_call(Msr msr, Reader function) {
  check_function(function, "on_read", static_cast<std::uint64_t>(msr));
  scripted_msr(*bus_, msr, true).set_reader(std::move(function));
}
void MsrScripts::on_write_call(Msr msr, Writer function) {
  check_function(function, "on_write", static_cast<std::uint64_t>(msr));
  scripted_msr(*bus_, msr, false).set_writer(std::move(function));
}

}  // namespace hltest
