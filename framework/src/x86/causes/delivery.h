#pragma once

#include <functional>
#include <string>

#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/vector.h>

namespace hltest::internal {

/// What prevents the delivery of an exception, in one sentence without a full stop: the IDT, the
/// gate, the handler's code segment, the stack or the handler itself (SDM vol. 3, 6.12 and 6.14);
/// in real mode the limit of the IVT. Empty if the tables allow it.
std::string obstacle_to_delivery(Vector vector, const Registers& registers,
                                 const std::function<PageWalk(Gva gva)>& walk,
                                 const LinearReader& read);

}  // namespace hltest::internal
