#include "diagnosis/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <hltest/x86/register_name.h>

namespace hltest::internal {
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

Json ports_json(const PortView& ports) {
  Json json = Json::array();
  for (const auto& [port, bytes] : ports.outputs()) {
    json.push_back({{"port", port},
                    {"bytes", fmt::format("{:02x}", fmt::join(bytes, ""))},
                    {"text", std::string{bytes.begin(), bytes.end()}}});
  }
  return json;
}

Json calls_json(const std::vector<ServiceCall>& calls) {
  Json json = Json::array();
  for (const ServiceCall& call : calls) {
    Json one = {{"vector", static_cast<unsigned>(call.vector)},
                {"description", to_string(call)},
                {"carry", call.after.rflags.cf()}};
    if (call.transfer) {
      one["sectors"] = {{"drive", call.transfer->drive},
                        {"lba", call.transfer->lba},
                        {"count", call.transfer->count},
                        {"written", call.transfer->is_write}};
      if (call.transfer->memory) one["sectors"]["memory"] = hex(call.transfer->memory->value());
    }
    json.push_back(std::move(one));
  }
  return json;
}

Json modes_json(const Diagnosis& diagnosis) {
  Json json = Json::array({diagnosis.start_mode});
  if (diagnosis.place && diagnosis.place->mode != diagnosis.start_mode) {
    json.push_back(diagnosis.place->mode);
  }
  return json;
}

void add_source(Json& json, const std::optional<SourcePlace>& place) {
  if (place) json["source"] = fmt::format("{}:{}", place->line.file, place->line.line);
}

Json step_json(const HistoryStep& step) {
  Json changes = Json::object();
  for (const NamedValue& change : step.changes) {
    changes[std::string{change.name}] = hex(change.value);
  }
  Json json = {{"address", hex(step.address.value())},
               {"instruction", step.instruction},
               {"changes", changes}};
  add_source(json, step.source);
  return json;
}

Json fault_json(const Exception& fault, const Diagnosis& diagnosis) {
  const auto number = static_cast<unsigned>(fault.vector);
  Json json = {{"vector", number},
               {"name", diagnosis.is_interrupt ? fmt::format("interrupt {:#04x}", number)
                        : fault.software       ? fmt::format("INT {:#04x}", number)
                                               : mnemonic(fault.vector)}};
  if (fault.error_code.has_value()) json["error_code"] = *fault.error_code;
  if (fault.address.has_value()) json["address"] = hex(fault.address->value());
  json["rip"] = hex(fault.rip);
  if (diagnosis.place) {
    for (const CodeLine& line : diagnosis.place->code) {
      if (line.address == diagnosis.place->address) json["instruction"] = line.instruction;
    }
  }
  if (!diagnosis.cause.empty()) json["cause"] = diagnosis.cause;
  if (diagnosis.place) add_source(json, diagnosis.place->source);
  if (!diagnosis.undelivered.empty()) json["undelivered"] = diagnosis.undelivered;
  return json;
}

}  // namespace

std::string to_json(const Diagnosis& diagnosis, const Outcome& outcome) {
  Json json = {{"outcome", name(diagnosis.stop)},
               {"description", diagnosis.reason},
               {"registers",
                registers_json(diagnosis.place ? diagnosis.place->registers : outcome.registers)},
               {"ports", ports_json(PortView{diagnosis.accesses})},
               {"console", outcome.console()},
               {"screen", outcome.screen().rows},
               {"modes", modes_json(diagnosis)}};
  if (!outcome.bios_calls().empty()) json["calls"] = calls_json(outcome.bios_calls());
  if (diagnosis.fault) json["fault"] = fault_json(*diagnosis.fault, diagnosis);
  if (!diagnosis.remark.empty()) json["remark"] = diagnosis.remark;
  if (!diagnosis.waits_for.empty()) json["waits_for"] = diagnosis.waits_for;
  if (!diagnosis.history.empty()) {
    Json history = Json::array();
    for (const HistoryStep& step : diagnosis.history) history.push_back(step_json(step));
    json["history"] = std::move(history);
  }
  if (!diagnosis.findings.empty()) json["findings"] = diagnosis.findings;
  if (diagnosis.left_image_at) json["left_image_at"] = step_json(*diagnosis.left_image_at);
  if (!diagnosis.not_replayed.empty()) json["not_replayed"] = diagnosis.not_replayed;
  // A guest's bytes need not be UTF-8, and JSON has to be: what is not becomes U+FFFD.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hltest::internal
