#include "cli/json.h"
#include <hltest/x86/register_name.h>
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace hltest::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

Json registers_json(const Registers& registers) {
  Json json = Json::object();
  for (const NamedValue& value : named_values(registers)) {
    json[std::string{value.name}] = hex(value.value);
  }
  return json;
}

Json ports_json(const PortLog& ports) {
  Json json = Json::array();
  for (const Port port : ports.written_ports()) {
    json.push_back({{"port", port},
                    {"bytes", fmt::format("{:02x}", fmt::join(ports.bytes(port), ""))},
                    {"text", ports.text(port)}});
  }
  return json;
}

Json modes_json(const Outcome& outcome) {
  Json json = Json::array({outcome.start_mode});
  if (!outcome.end_mode.empty() && outcome.end_mode != outcome.start_mode) {
    json.push_back(outcome.end_mode);
  }
  return json;
}

Json step_json(const HistoryStep& step, const Outcome& outcome) {
  Json changes = Json::object();
  for (const NamedValue& change : step.changes) {
    changes[std::string{change.name}] = hex(change.value);
  }
  Json json = {{"address", hex(step.address.value())},
               {"instruction", step.instruction},
               {"changes", changes}};
  if (const auto place = step.gpa ? outcome.source_at(*step.gpa) : std::nullopt) {
    json["source"] = fmt::format("{}:{}", place->line.file, place->line.line);
  }
  return json;
}

Json history_json(const Outcome& outcome) {
  Json json = Json::array();
  for (const HistoryStep& step : outcome.history->steps) json.push_back(step_json(step, outcome));
  return json;
}

Json fault_json(const Exception& exception, const Outcome& outcome) {
  Json json = {{"vector", static_cast<unsigned>(exception.vector)},
               {"name", exception.software
                            ? fmt::format("INT {:#04x}", static_cast<unsigned>(exception.vector))
                            : mnemonic(exception.vector)}};
  if (exception.error_code.has_value()) json["error_code"] = *exception.error_code;
  if (exception.address.has_value()) json["address"] = hex(exception.address->value());
  json["rip"] = hex(exception.rip);
  const std::vector<Instruction> at_rip =
      disassemble_around(outcome.code.bytes, outcome.code.start, outcome.code.starts_at_instruction,
                         outcome.stop_address(), cpu_mode(outcome.registers), 0, 0);
  if (!at_rip.empty()) json["instruction"] = at_rip.front().text;
  if (!exception.cause.empty()) json["cause"] = exception.cause;
  if (const std::optional<SourcePlace> place = outcome.source()) {
    json["source"] = fmt::format("{}:{}", place->line.file, place->line.line);
  }
  const auto* const triple = std::get_if<TripleFault>(&outcome.stop);
  if (triple != nullptr && !triple->undelivered.empty()) json["undelivered"] = triple->undelivered;
  return json;
}

}  // namespace

std::string to_json(const Outcome& outcome, const std::vector<std::string>& screen) {
  Json json = {{"outcome", name(outcome.stop)},
               {"description", describe(outcome.stop)},
               {"registers", registers_json(outcome.registers)},
               {"ports", ports_json(outcome.ports)},
               {"console", serial_text(outcome.ports)},
               {"screen", screen},
               {"modes", modes_json(outcome)}};
  if (const Exception* const fault = outcome.fault()) json["fault"] = fault_json(*fault, outcome);
  if (!outcome.remark.empty()) json["remark"] = outcome.remark;
  if (const auto* const timeout = std::get_if<Timeout>(&outcome.stop)) {
    if (!timeout->loop.waits_for.empty()) json["waits_for"] = timeout->loop.waits_for;
  }
  if (outcome.history) {
    json["history"] = history_json(outcome);
    if (!outcome.history->findings.empty()) json["findings"] = outcome.history->findings;
    if (const auto& left = outcome.history->left_image_at) {
      json["left_image_at"] = step_json(*left, outcome);
    }
    if (!outcome.history->failure.empty()) json["not_replayed"] = outcome.history->failure;
  }
  // A guest's bytes need not be UTF-8, and JSON has to be: what is not becomes U+FFFD.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hltest::cli
