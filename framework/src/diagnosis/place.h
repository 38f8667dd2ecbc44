#pragma once

#include <string>

#include <hltest/diagnosis.h>
#include <hltest/tables.h>

namespace hltest::internal {

/// Where a guest stopped: its place in the image and in the source, and the code around it.
/// `tables` are those of the registers there.
Diagnosis::Place place_of(const Outcome& outcome, const StopReason& stop,
                          const GuestTables& tables);

/// The same for code that is not mapped there, and is known to be at `offset` in the image.
void place_in_image(const Outcome& outcome, std::uint64_t offset, Diagnosis::Place& place);

/// Code for 16, 32 or 64 bits that the processor takes for another, in one sentence: the far jump
/// is missing, or goes to the wrong kind of segment; otherwise empty.
std::string code_of_another_size(const Outcome& outcome, const Diagnosis::Place& place);

/// The instructions around a place, with so many before it.
std::vector<CodeLine> code_around(const Outcome& outcome, const Diagnosis::Place& place,
                                  const GuestTables& tables, std::size_t before);

}  // namespace hltest::internal
