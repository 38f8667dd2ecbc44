#pragma once

#include <string>

#include <hltest/x86/registers.h>

namespace hltest::internal {

/// The first of the SDM's rules that these registers break together, in one sentence without a full
/// stop; empty if they break none. KVM refuses such registers without a reason, and a processor
/// can't get into such a state (SDM vol. 3, 2.5, 4.1 and 10.8.5; vol. 3C, 27.3.1).
std::string contradiction_of(const Registers& registers);

}  // namespace hltest::internal
