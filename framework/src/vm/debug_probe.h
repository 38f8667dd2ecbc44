#pragma once

/// What this host's KVM does of KVM_SET_GUEST_DEBUG, which an emulated processor need not do all
/// of. Each is found out with a guest of two instructions, once a process.
namespace hltest::internal {

/// Whether it stops a guest at breakpoints.
bool stops_at_breakpoints();

/// Whether a step that raises an exception ends in its handler. A processor executes the handler
/// first, up to its IRET.
bool stops_in_handlers();

}  // namespace hltest::internal
