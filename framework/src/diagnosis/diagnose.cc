#include <hltest/diagnosis.h>

#include <fmt/format.h>

#include <exception>

#include "diagnosis/findings.h"
#include "diagnosis/loop.h"
#include "diagnosis/place.h"
#include "diagnosis/replay.h"
#include "machine/cause.h"

namespace hltest {
namespace {

using namespace internal;

constexpr std::size_t kInstructionsBefore = 4;

// An INT n that nobody of the guest's answers.
std::string cause_of_interrupt(const Exception& exception, const Registers& registers) {
  const auto number = static_cast<unsigned>(exception.vector);
  constexpr unsigned kFirstService = 0x10;
  constexpr unsigned kLastService = 0x1A;
  if (!registers.cr0.pe() && number >= kFirstService && number <= kLastService) {
    return fmt::format(
        "INT {:#x} is a BIOS service, and there is no BIOS here: boot the guest (BootSectorTest, "
        "hltest run --boot), or serve it (Machine::on_interrupt)",
        number);
  }
  return fmt::format("the guest has no handler of its own for INT {:#x}", number);
}

// For an interrupt that was requested, by a device or by the test.
std::string cause_of_request(Vector vector, const Registers& registers) {
  constexpr unsigned kExceptions = 32;
  std::string cause = "a device or the test requested it, and the guest has no handler of its own";
  const auto number = static_cast<unsigned>(vector);
  if (registers.cr0.pe() && number < kExceptions) {
    cause += fmt::format(
        "; vector {:#x} is an exception's: the interrupt controllers are usually set to others",
        number);
  }
  return cause;
}

// What the registers and the memory at the end tell.
void explain_end(const Outcome& outcome, Diagnosis& diagnosis) {
  if (outcome.registers_are_lost()) return;
  const GuestTables tables = outcome.tables();
  if (diagnosis.fault) {
    const Exception& fault = *diagnosis.fault;
    const bool is_int3 =
        fault.vector == Vector::kBreakpoint && !fault.software && fault.instruction_length != 0;
    const auto& requests = outcome.accesses.interrupts();
    const bool is_devices = !fault.software && !requests.empty() &&
                            requests.back().vector == fault.vector &&
                            outcome.registers.rflags.if_() && !fault.error_code;
    diagnosis.cause = is_devices       ? cause_of_request(fault.vector, outcome.registers)
                      : is_int3        ? "INT3 raises it, and the guest has no handler of its own"
                      : fault.software ? cause_of_interrupt(fault, outcome.registers)
                                       : cause_of(fault.vector, fault.error_code,
                                                  fault.address.value_or(Gva{0}), tables);
  }
  if (std::holds_alternative<TripleFault>(outcome.stop)) {
    diagnosis.undelivered = obstacle_to(Vector::kDoubleFault, tables);
  }
  diagnosis.place = place_of(outcome, outcome.stop, tables);
  diagnosis.place->code = code_around(outcome, *diagnosis.place, tables, kInstructionsBefore);
}

void explain_further(const Outcome& outcome, Diagnosis& diagnosis) {
  try {
    if (can_be_replayed(outcome)) replay(outcome, diagnosis);
    if (std::holds_alternative<Timeout>(outcome.stop)) watch_loop(outcome, diagnosis);
  } catch (const std::exception& error) {
    diagnosis.not_replayed = fmt::format("its second run could not be made: {}", error.what());
  }
}

std::string reason(const Diagnosis& diagnosis) {
  if (std::holds_alternative<TripleFault>(diagnosis.stop) && diagnosis.is_interrupt) {
    return fmt::format("triple fault after an interrupt (vector {:#x})",
                       static_cast<unsigned>(diagnosis.fault->vector));
  }
  if (std::holds_alternative<TripleFault>(diagnosis.stop) && diagnosis.fault) {
    return "triple fault after " + describe(StopReason{*diagnosis.fault});
  }
  return describe(diagnosis.stop);
}

}  // namespace

Diagnosis diagnose(const Outcome& outcome) {
  Diagnosis diagnosis{
      .stop = outcome.stop, .start_mode = mode_name(outcome.start), .accesses = outcome.accesses};
  if (const Exception* const exception = outcome.exception()) diagnosis.fault = *exception;
  if (outcome.image) {
    diagnosis.image_start = outcome.image->load_address();
    diagnosis.image_size = outcome.image->bytes().size();
  }
  if (!outcome.disks.empty()) diagnosis.screen = outcome.screen();
  if (outcome.record != nullptr) {
    explain_end(outcome, diagnosis);
    explain_further(outcome, diagnosis);
    for (const std::string& each : outcome.record->missed_interrupts) {
      diagnosis.findings.push_back(each);
    }
    if (!outcome.halted() && !std::holds_alternative<ConditionMet>(outcome.stop)) {
      for (std::string& each : findings(outcome)) diagnosis.findings.push_back(std::move(each));
    }
  }
  if (diagnosis.place) {
    diagnosis.is_outside_image = !diagnosis.place->offset && !diagnosis.place->source &&
                                 !std::holds_alternative<SystemCall>(diagnosis.stop);
    // Where there is a history, it tells what came before.
    if (!diagnosis.history.empty()) {
      auto& code = diagnosis.place->code;
      std::erase_if(code,
                    [&](const CodeLine& line) { return line.address < diagnosis.place->address; });
    }
    // KVM may have given up with CS loaded, and RIP not.
    if (!std::holds_alternative<HostLimit>(diagnosis.stop)) {
      diagnosis.remark = code_of_another_size(outcome, *diagnosis.place);
    }
  }
  diagnosis.reason = reason(diagnosis);
  diagnosis.headline =
      fmt::format("{} {}{}", outcome.guest, outcome.halted() ? "" : "ended: ", diagnosis.reason);
  return diagnosis;
}

std::string report(const Outcome& outcome) { return to_text(diagnose(outcome)); }

}  // namespace hltest
