#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <hltest/tables.h>
#include <hltest/x86/vector.h>

namespace hltest::internal {

/// Why the processor raised a fault, in one sentence (see fault_cause.h), from the tables that the
/// registers before it led to; empty where nothing tells. `address` is CR2, for #PF.
std::string cause_of(Vector vector, std::optional<std::uint32_t> error_code, Gva address,
                     const GuestTables& tables);

/// Why an exception can't be delivered, in one sentence (see delivery.h); empty where it can.
std::string obstacle_to(Vector vector, const GuestTables& tables);

}  // namespace hltest::internal
