#pragma once

#include <vector>

#include "vm/guest.h"
#include "vm/observer.h"

/// KVM steps a guest by RFLAGS.TF: where that would show, and which instructions undo it.
namespace hltest::internal {

/// True where the guest steps itself, or this step would make it: by a POPF or an IRET that sets
/// TF. It would not get its #DB.
bool sets_trap_flag(const Step& step, const Guest& guest);

/// Takes KVM's TF out of what this step has saved of the flags: for PUSHF, and for an exception or
/// INT n that was delivered.
void hide_trap_flag(const Step& step, Guest& guest);

/// The guest's own handlers for exceptions that the step can raise, where it would not end there:
/// they need breakpoints. Those that the instruction reads or writes itself are left out.
std::vector<Gva> own_handlers(const Step& step, const Guest& guest);

/// Where an instruction leads to that can't be stepped: a 64-bit IRET, which there are KVMs that
/// step together with the next instruction, and SYSCALL, which saves TF in R11 and may keep it.
/// Both, and the handlers of the faults that they can raise. Empty for any other step.
std::vector<Gva> ends_without_stepping(const Step& step, const Guest& guest);

}  // namespace hltest::internal
