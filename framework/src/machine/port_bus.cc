#include "machine/port_bus.h"
#include "machine/floating_bus.h"

#include <fmt/format.h>

#include <stdexcept>

namespace hltest {
namespace {

std::uint32_t all_ones(std::uint8_t size) { return static_cast<std::uint32_t>(floating_bus(size)); }

std::invalid_argument empty_function(const char* call, Port port) {
  return std::invalid_argument(fmt::format("{}({:#x}): the function is empty", call, port));
}

}  // namespace

void PortBus::on_in(Port port, std::variant<Answers, AnswerBytes, Always, PortReader> answer) {
  const auto* const reader = std::get_if<PortReader>(&answer);
  if (reader != nullptr && *reader == nullptr) throw empty_function("on_in", port);
  scripts_.insert_or_assign(port, std::make_shared<Script>(Script{std::move(answer)}));
}

void PortBus::on_out(Port port, PortWriter writer) {
  if (writer == nullptr) throw empty_function("on_out", port);
  writers_.insert_or_assign(port, std::make_shared<PortWriter>(std::move(writer)));
}

void PortBus::stop_after_writes(Port port, std::uint64_t count) {
  if (count == 0) {
    throw std::invalid_argument(fmt::format(
        "stop_after_writes({:#x}, 0): a run can stop at the first write or later", port));
  }
  stop_conditions_.push_back({.port = port, .value = std::nullopt, .count = count});
}

void PortBus::stop_on_write(Port port, std::uint32_t value) {
  stop_conditions_.push_back({.port = port, .value = value, .count = 1});
}

std::optional<std::uint32_t> PortBus::answer(Script& script, const PortAccess& access) {
  if (const auto* const always = std::get_if<Always>(&script.answer)) return always->value;
  if (const auto* const reader = std::get_if<PortReader>(&script.answer)) return (*reader)(access);
  if (const auto* const answers = std::get_if<Answers>(&script.answer)) {
    if (script.used == answers->values.size()) return std::nullopt;
    return answers->values[script.used++];
  }
  const auto& bytes = std::get<AnswerBytes>(script.answer).bytes;
  if (script.used == bytes.size()) return std::nullopt;
  std::uint32_t value = all_ones(access.size);
  for (unsigned i = 0; i < access.size && script.used < bytes.size(); ++i) {
    value &= ~(0xFFU << (8 * i));
    value |= std::uint32_t{bytes[script.used++]} << (8 * i);
  }
  return value;
}

std::uint32_t PortBus::in(Port port, std::uint8_t size, PortLog& log) {
  PortAccess access{.port = port, .direction = Direction::kIn, .size = size, .scripted = false};
  if (const auto script = scripts_.find(port); script != scripts_.end()) {
    const std::shared_ptr<Script> called = script->second;
    if (const std::optional<std::uint32_t> value = answer(*called, access)) {
      access.scripted = true;
      access.value = *value & all_ones(size);
    }
  }
  if (!access.scripted) access.value = all_ones(size);
  log.add(access);
  return access.value;
}

std::optional<std::string> PortBus::out(Port port, std::uint8_t size, std::uint32_t value,
                                        PortLog& log) {
  const PortAccess access{.port = port, .direction = Direction::kOut, .size = size, .value = value};
  log.add(access);
  if (const auto writer = writers_.find(port); writer != writers_.end()) {
    const std::shared_ptr<PortWriter> called = writer->second;
    (*called)(access);
  }

  std::optional<std::string> fulfilled;
  for (StopCondition& condition : stop_conditions_) {
    if (condition.port != port) continue;
    if (condition.value.has_value() && *condition.value != value) continue;
    if (++condition.seen != condition.count || fulfilled.has_value()) continue;
    fulfilled = condition.value.has_value()
                    ? fmt::format("{:#x} was written to port {:#x}", value, port)
                    : fmt::format("port {:#x} was written {} times", port, condition.count);
  }
  return fulfilled;
}

void PortBus::start_run() {
  for (StopCondition& condition : stop_conditions_) condition.seen = 0;
}

}  // namespace hltest
