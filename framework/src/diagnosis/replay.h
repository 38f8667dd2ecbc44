#pragma once

#include <hltest/diagnosis.h>

namespace hltest::internal {

/// True for an end that a second, stepped run of the guest can explain.
bool can_be_replayed(const Outcome& outcome);

/// Fills in what such a run shows: the history, where the guest left its image, what is wrong with
/// its code and stack, and for a triple fault the exception that it began with, its place and its
/// cause. `not_replayed` says why it shows nothing.
void replay(const Outcome& outcome, Diagnosis& diagnosis);

}  // namespace hltest::internal
