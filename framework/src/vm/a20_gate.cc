// The A20 gate, which is closed by memory slots: the second MiB is backed by what backs the first.
#include <algorithm>

#include <hltest/error.h>
#include <hltest/memory_layout.h>

#include "vm/guest.h"

namespace hltest::internal {
namespace {

// Beyond the slots of the regions and those that a replay adds.
constexpr std::uint32_t kFirstSlot = 100;
constexpr Gpa kSecondMiB{kMiB};

}  // namespace

Gpa through_closed_a20(Gpa gpa) {
  const bool is_beyond_the_gate = gpa >= kSecondMiB && gpa - kSecondMiB < kMiB;
  return is_beyond_the_gate ? Gpa{gpa - kSecondMiB} : gpa;
}

void Guest::set_a20(bool is_open) {
  if (is_open == a20_is_open()) return;
  if (!memory_->layout().has_rom()) {
    throw SetupError("the A20 gate is closed only for guests that start in real mode");
  }
  is_open ? open_a20() : close_a20();
  memory_->set_a20(is_open);
}

void Guest::close_a20() {
  const std::vector<Region>& regions = memory_->regions();
  std::uint32_t next = kFirstSlot;
  // Slots must not overlap: what was in the second MiB makes room first.
  for (std::uint32_t slot = 0; slot < regions.size(); ++slot) {
    const Region& region = regions[slot];
    if (region.base != kSecondMiB) continue;
    vm_->vm.remove_memory_slot(slot);
    if (region.size <= kMiB) continue;
    vm_->vm.set_memory_slot(next++, kSecondMiB + kMiB, memory_->memory(region).subspan(kMiB),
                            kvm::SlotAccess::kReadWrite);
  }
  for (const Region& region : regions) {
    if (region.base >= kSecondMiB) continue;
    set_memory_slot(next++, region.base + kMiB, region);
  }
  a20_slots_ = next - kFirstSlot;
}

void Guest::open_a20() {
  const std::vector<Region>& regions = memory_->regions();
  while (a20_slots_ > 0) vm_->vm.remove_memory_slot(kFirstSlot + --a20_slots_);
  for (std::uint32_t slot = 0; slot < regions.size(); ++slot) {
    if (regions[slot].base != kSecondMiB) continue;
    set_memory_slot(slot, kSecondMiB, regions[slot]);
  }
}

}  // namespace hltest::internal
