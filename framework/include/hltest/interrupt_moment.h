#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include <hltest/device.h>
#include <hltest/x86/address.h>

/// When `Machine::interrupt` requests its interrupt. It is delivered as soon as the guest has
/// interrupts enabled; an NMI (vector 2) is delivered whether it has or not.
namespace hltest {

/// At each of the guest's next `times` HLTs at which the interrupt can be delivered. The HLT after
/// the last ends the run.
struct AtHalts {
  unsigned times = 1;
};

/// When the guest comes to a linear address for the first time, before the instruction there.
struct AtAddress {
  Gva address{};
};

/// The same at a label of the image's source.
struct AtLabel {
  std::string label{};
};

/// After the guest has made so many accesses to ports, MMIO and MSRs, and calls of services, since
/// the run began.
struct AfterAccesses {
  std::uint64_t count = 0;
};

/// After so many instructions since the run began. The guest is stepped up to then, about a hundred
/// thousand instructions a second, as far as its KVM can: of a string instruction with REP, each
/// element is an instruction, or all of them are one; and some KVMs step STI and the next
/// instruction as one. A guest that sets RFLAGS.TF is not stepped any more.
struct AfterInstructions {
  std::uint64_t count = 0;
};

/// Before the first instruction for which `condition` is true. The guest is stepped up to then.
struct When {
  std::function<bool(GuestView& guest)> condition{};
};

using InterruptMoment =
    std::variant<AtHalts, AtAddress, AtLabel, AfterAccesses, AfterInstructions, When>;

}  // namespace hltest
