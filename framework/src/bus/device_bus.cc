#include "bus/device_bus.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <hltest/error.h>

namespace hltest {

std::optional<std::uint64_t> Device::read(const Access& /*access*/, GuestView& /*guest*/) {
  return std::nullopt;
}
bool Device::write(const Access& /*access*/, GuestView& /*guest*/) { return false; }

}  // namespace hltest

namespace hltest::internal {
namespace {

const char* name(Space space) {
  switch (space) {
    case Space::kPort:
      return "port";
    case Space::kMmio:
      return "MMIO";
    case Space::kMsr:
      return "MSR";
    case Space::kInterrupt:
      return "vector";
  }
  return "space";
}

// KVM can take this many ranges of MSRs from a guest (struct kvm_msr_filter), of this many MSRs
// each (KVM_MSR_FILTER_MAX_BITMAP_SIZE).
constexpr std::size_t kMostMsrRanges = 16;
constexpr std::uint64_t kMostMsrs = 0x600ULL * 8;
constexpr std::uint64_t kFirstX2apic = 0x800;
constexpr std::uint64_t kLastX2apic = 0x8FF;

bool overlap(const Claim& left, const Claim& right) {
  return left.space == right.space && left.first <= right.last && right.first <= left.last;
}

void check_msrs(const Claim& claim, std::size_t ranges) {
  if (claim.first <= kLastX2apic && claim.last >= kFirstX2apic) {
    throw SetupError(
        fmt::format("no device can answer for {}: KVM leaves the x2APIC's MSRs (0x800 to 0x8ff) to "
                    "nobody",
                    to_string(claim)));
  }
  if (claim.last - claim.first >= kMostMsrs) {
    throw SetupError(
        fmt::format("{}: a device can have {:#x} MSRs at most", to_string(claim), kMostMsrs));
  }
  if (ranges >= kMostMsrRanges) {
    throw SetupError(fmt::format("no room for a device at {}: a VM has room for {} ranges of MSRs",
                                 to_string(claim), kMostMsrRanges));
  }
}

}  // namespace

std::string to_string(const Claim& claim) {
  if (claim.first == claim.last) return fmt::format("{} {:#x}", name(claim.space), claim.first);
  return fmt::format("{}{} {:#x}-{:#x}", name(claim.space), claim.space == Space::kMmio ? "" : "s",
                     claim.first, claim.last);
}

void DeviceBus::attach(const Claim& claim, std::shared_ptr<Device> device) {
  if (device == nullptr) {
    throw SetupError(fmt::format("there is no device to attach at {}", to_string(claim)));
  }
  if (claim.last < claim.first) {
    throw SetupError(fmt::format("a device at {}: the range is empty, or wraps", to_string(claim)));
  }
  std::erase_if(slots_, [&claim](const auto& each) {
    return each.second->is_beneath && overlap(each.second->claim, claim);
  });
  for (const auto& [key, slot] : slots_) {
    const Claim& other = slot->claim;
    if (!overlap(other, claim)) continue;
    throw SetupError(
        fmt::format("a device at {} overlaps the one at {}", to_string(claim), to_string(other)));
  }
  if (claim.space == Space::kMsr) check_msrs(claim, claims(Space::kMsr).size());
  slots_.emplace(std::pair{claim.space, claim.first},
                 std::make_shared<Slot>(Slot{claim, std::move(device)}));
}

void DeviceBus::attach_beneath(const Claim& claim, std::shared_ptr<Device> device) {
  const bool is_taken = std::ranges::any_of(
      slots_, [&claim](const auto& each) { return overlap(each.second->claim, claim); });
  if (is_taken) return;
  attach(claim, std::move(device));
  find(claim.space, claim.first)->is_beneath = true;
}

void DeviceBus::replace(const Claim& claim, std::shared_ptr<Device> device) {
  slots_.erase({claim.space, claim.first});
  attach(claim, std::move(device));
}

void DeviceBus::halted(GuestView& guest) {
  // A device may be at several addresses.
  std::set<Device*> told;
  for (const auto& [key, slot] : slots_) {
    if (told.insert(slot->device.get()).second) slot->device->halted(guest);
  }
}

void DeviceBus::widen(Space space, std::uint64_t address, bool reads, bool writes) {
  Slot* const slot = find(space, address);
  if (slot == nullptr) return;
  slot->claim.reads = slot->claim.reads || reads;
  slot->claim.writes = slot->claim.writes || writes;
}

DeviceBus::Slot* DeviceBus::find(Space space, std::uint64_t address) {
  auto next = slots_.upper_bound(std::pair{space, address});
  if (next == slots_.begin()) return nullptr;
  Slot* const slot = std::prev(next)->second.get();
  const bool is_inside = slot->claim.space == space && address <= slot->claim.last;
  return is_inside ? slot : nullptr;
}

// On a PC's bus, a wider access to a device of 8 bits is one to each of so many ports.
bool DeviceBus::answer_by_bytes(Access& access, GuestView& guest) {
  constexpr std::uint64_t kLastPort = 0xFFFF;
  std::uint64_t value = 0;
  bool is_answered = false;
  for (unsigned i = 0; i < access.size; ++i) {
    Access one = access;
    one.address = (access.address + i) & kLastPort;
    one.size = 1;
    one.value = access.value >> (8 * i) & floating_bus(1);
    answer(one, guest);
    value |= one.value << (8 * i);
    is_answered = is_answered || one.answered;
  }
  access.value = value;
  access.answered = is_answered;
  return true;
}

bool DeviceBus::answer(Access& access, GuestView& guest) {
  Slot* const slot = find(access.space, access.address);
  if (slot != nullptr && slot->claim.is_byte_wide && access.size > 1) {
    return answer_by_bytes(access, guest);
  }
  const std::shared_ptr<Device> device = slot != nullptr ? slot->device : nullptr;
  if (access.is_read()) {
    access.answered = false;
    access.value = floating_bus(access.size);
    if (device == nullptr) return true;
    if (const auto value = device->read(access, guest)) {
      access.answered = true;
      access.value = *value & floating_bus(access.size);
    }
    return true;
  }
  const bool is_taken = device != nullptr && device->write(access, guest);
  // Nobody has to take an OUT for the test to see it.
  access.answered = is_taken || access.space == Space::kPort;
  return true;
}

std::optional<Vector> DeviceBus::interrupt() const {
  for (const auto& [key, slot] : slots_) {
    if (const auto vector = slot->device->interrupt()) return vector;
  }
  return std::nullopt;
}

void DeviceBus::acknowledge(Vector vector) {
  for (const auto& [key, slot] : slots_) {
    if (slot->device->interrupt() != vector) continue;
    slot->device->acknowledge(vector);
    return;
  }
}

void DeviceBus::begin_run() {
  for (const auto& [key, slot] : slots_) {
    if (slot->has_run) {
      slot->device->restore(slot->before);
    } else {
      slot->before = slot->device->save();
      slot->has_run = true;
    }
  }
}

DeviceStates DeviceBus::save() const {
  DeviceStates states;
  states.reserve(slots_.size());
  for (const auto& [key, slot] : slots_) states.push_back(slot->device->save());
  return states;
}

void DeviceBus::restore(const DeviceStates& states) {
  if (states.size() != slots_.size()) {
    throw SetupError(fmt::format("the states of {} devices can't be restored in {}", states.size(),
                                 slots_.size()));
  }
  auto state = states.begin();
  for (const auto& [key, slot] : slots_) slot->device->restore(*state++);
}

std::vector<Claim> DeviceBus::claims(Space space) const {
  std::vector<Claim> claims;
  for (const auto& [key, slot] : slots_) {
    if (slot->claim.space == space) claims.push_back(slot->claim);
  }
  return claims;
}

}  // namespace hltest::internal
