#include "machine/mmio_bus.h"
#include "machine/floating_bus.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace hltest {
std::string to_string(const MmioAccess& access) {
  return fmt::format("{} {}, {} bytes: {:#x}{}",
                     access.direction == Direction::kIn ? "read" : "write", to_string(access.gpa),
                     access.size, access.value, access.handled ? "" : " (nothing there)");
}

void MmioBus::attach(Gpa base, std::uint64_t size, MmioHandler handler) {
  if (size == 0 || size - 1 > ~base.value()) {
    throw std::invalid_argument(
        fmt::format("an MMIO handler for {:#x} bytes at {}: the range is empty or wraps", size,
                    to_string(base)));
  }
  for (const Range& range : ranges_) {
    if (base <= range.base + (range.size - 1) && range.base <= base + (size - 1)) {
      throw std::invalid_argument(
          fmt::format("an MMIO handler for {}-{} overlaps the one for {}-{}", to_string(base),
                      to_string(base + (size - 1)), to_string(range.base),
                      to_string(range.base + (range.size - 1))));
    }
  }
  ranges_.push_back({base, size, std::make_shared<const MmioHandler>(std::move(handler))});
}

MmioAccess MmioBus::access(MmioAccess access) const {
  const auto range = std::ranges::find_if(ranges_, [&](const Range& candidate) {
    return access.gpa >= candidate.base && access.gpa - candidate.base < candidate.size;
  });
  const std::shared_ptr<const MmioHandler> handler =
      range != ranges_.end() ? range->handler : nullptr;
  if (access.direction == Direction::kIn) {
    access.handled = handler != nullptr && handler->read != nullptr;
    access.value = (access.handled ? handler->read(access) : ~0ULL) & floating_bus(access.size);
  } else {
    access.handled = handler != nullptr && handler->write != nullptr;
    if (access.handled) handler->write(access);
  }
  return access;
}

}  // namespace hltest
