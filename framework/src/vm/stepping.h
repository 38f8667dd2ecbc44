#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vm/guest.h"
#include "vm/observer.h"

/// What single-stepping by KVM changes for a guest, and how that is hidden from it.
namespace hltest::internal {

/// The guest as it is now, before its next step.
Step look(const Guest& guest);

/// Brings the guest to after its HLT, if that is its next instruction, as a HLT exit does: there
/// are KVMs that step past it.
bool pass_hlt(const Step& step, Guest& guest);

/// True when its next instruction is a short JMP to itself: then only an interrupt can move it on.
bool jumps_to_itself(const Guest& guest);

/// True when its next instruction is the HLT of one of the framework's handlers.
bool is_at_a_handler(const Guest& guest);

/// HLTs in place of the guest's code at breakpoints, for the time of one step: a HLT stops the
/// guest on every KVM, and not every one has hardware breakpoints.
class BreakpointPatches {
 public:
  BreakpointPatches(Guest& guest, const std::vector<Gva>& breakpoints);
  BreakpointPatches(const BreakpointPatches&) = delete;
  BreakpointPatches& operator=(const BreakpointPatches&) = delete;
  ~BreakpointPatches();

  /// True when the guest stopped at one of them. Then RIP is brought back to it.
  bool bring_back();

 private:
  struct Patch {
    Gva gva;
    Gpa gpa;
    std::uint8_t original;
  };
  Guest& guest_;
  std::vector<Patch> patches_;
};

/// The handler of the guest's that this step enters by INT n, in real mode. Stepping would push TF.
std::optional<Gva> handler_entered_by(const Step& step, const Guest& guest);

/// Where the handler for a vector begins that the guest's IDT names; nothing where it names none.
std::optional<Gva> handler_of(Vector vector, const GuestTables& tables);

/// True when a step came to a handler of the framework's, whose HLT some KVMs run past and others
/// stop before. Then RIP is brought to after it.
bool has_come_to_a_handler(const Step& step, Guest& guest);

}  // namespace hltest::internal
