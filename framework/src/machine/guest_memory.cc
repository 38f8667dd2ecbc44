#include "machine/guest_memory.h"
#include <hltest/memory_layout.h>
#include "kvm/error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace hltest {
namespace {

// KVM keeps 8 bytes for each page of a slot, touched or not, so at 16 times the host's own memory a
// guest that touches nothing costs the host 3 % of it.
constexpr std::uint64_t kMostTimesHostMemory = 16;

void check_size(std::uint64_t size) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t host = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page;
  if (size == 0 || size % page != 0) {
    throw MemoryError(fmt::format(
        "a memory size of {:#x} bytes can't be: it has to be a multiple of 4 KiB and not 0", size));
  }
  if (size / kMostTimesHostMemory > host) {
    throw MemoryError(
        fmt::format("a memory size of {:#x} bytes is beyond this host, which has {:#x}: give the "
                    "guest at most {} times as much",
                    size, host, kMostTimesHostMemory));
  }
}

// Does to the guest's RAM what `change` does, and tells of it in the user's terms if the host
// can't.
template <typename Change>
auto with_size(std::uint64_t size, Change&& change) {
  check_size(size);
  try {
    return change();
  } catch (const kvm::Error& error) {
    throw MemoryError(
        fmt::format("a memory size of {:#x} bytes is beyond this host: {}", size, error.what()));
  }
}

bool starts_with_rom(CpuMode mode) { return mode == CpuMode::kReal16; }

}  // namespace

GuestMemory::GuestMemory(std::uint64_t size, CpuMode mode)
    : mode_(mode),
      size_(size),
      ram_(with_size(size, [size] { return kvm::Mapping::anonymous(size); })) {}

void GuestMemory::resize(std::uint64_t size) {
  if (in_use_) {
    throw MemoryError(fmt::format(
        "a memory size of {:#x} bytes: it can't be changed while a guest runs on it", size));
  }
  with_size(size, [&] { ram_.resize(size); });
  size_ = size;
}

std::vector<MemoryRegion> GuestMemory::regions() const {
  std::vector<MemoryRegion> regions;
  const auto add_ram = [&](Gpa base, std::uint64_t offset, std::uint64_t end) {
    if (offset < end) {
      regions.push_back(
          {base, ram_.bytes().subspan(offset, end - offset), MemoryRegion::Kind::kRam});
    }
  };
  const std::uint64_t low_end = std::min(size_, kSystemRegion.value());
  if (starts_with_rom(mode_)) {
    const Gpa after_rom = kRomRegion + kRomSize;
    add_ram(Gpa{0}, 0, std::min(low_end, kRomRegion.value()));
    add_ram(after_rom, after_rom.value(), low_end);
  } else {
    add_ram(Gpa{0}, 0, low_end);
  }
  add_ram(kHighMemory, kSystemRegion.value(), size_);
  if (system_.size() != 0) {
    if (starts_with_rom(mode_)) {
      regions.push_back({kRomRegion, system_.bytes(), MemoryRegion::Kind::kRom});
    } else {
      regions.push_back({kSystemRegion, system_.bytes(), MemoryRegion::Kind::kSystem});
    }
  }
  return regions;
}

std::span<std::uint8_t> GuestMemory::create_system_region(std::uint64_t size) {
  system_ = kvm::Mapping::anonymous(size);
  return system_.bytes();
}

Gpa GuestMemory::end_of_low_ram() const { return Gpa{std::min(size_, kSystemRegion.value())}; }

bool GuestMemory::is_ram(Gpa gpa, std::uint64_t count) const {
  return std::ranges::any_of(regions(), [&](const MemoryRegion& region) {
    return region.kind == MemoryRegion::Kind::kRam && gpa >= region.base &&
           gpa - region.base <= region.bytes.size() &&
           count <= region.bytes.size() - (gpa - region.base);
  });
}

bool GuestMemory::overlaps(Gpa gpa, std::uint64_t count) const {
  return std::ranges::any_of(regions(), [&](const MemoryRegion& region) {
    return gpa <= region.base + (region.bytes.size() - 1) && region.base <= gpa + (count - 1);
  });
}

bool GuestMemory::is_backed(Gpa gpa) const {
  return std::ranges::any_of(regions(), [&](const MemoryRegion& region) {
    return gpa >= region.base && gpa - region.base < region.bytes.size();
  });
}

std::pair<Gpa, Gpa> GuestMemory::framework_range() const {
  if (starts_with_rom(mode_)) return {kRomRegion, kRomRegion + (kRomSize - 1)};
  return {kSystemRegion, kHighMemory - 1};
}

std::string GuestMemory::describe_ram() const {
  std::string text;
  for (const MemoryRegion& region : regions()) {
    if (region.kind != MemoryRegion::Kind::kRam) continue;
    fmt::format_to(std::back_inserter(text), "{}{}-{}", text.empty() ? "RAM " : " and ",
                   to_string(region.base), to_string(region.base + (region.bytes.size() - 1)));
  }
  return text;
}

template <typename Visit>
void GuestMemory::visit(const char* operation, Gpa gpa, std::uint64_t count, bool writes,
                        Visit&& visit) const {
  std::vector<std::span<std::uint8_t>> parts;
  const std::vector<MemoryRegion> regions = this->regions();
  for (std::uint64_t done = 0; done < count;) {
    const Gpa at = gpa + done;
    const auto region = std::ranges::find_if(regions, [&](const MemoryRegion& candidate) {
      return at >= candidate.base && at - candidate.base < candidate.bytes.size();
    });
    if (region == regions.end() || at < gpa) {
      throw MemoryError(fmt::format("{} of {} bytes at {}: {} is outside the guest's memory ({})",
                                    operation, count, to_string(gpa), to_string(at),
                                    describe_ram()));
    }
    if (writes && region->kind != MemoryRegion::Kind::kRam) {
      throw MemoryError(fmt::format("{} of {} bytes at {}: {} belongs to the framework ({})",
                                    operation, count, to_string(gpa), to_string(at),
                                    describe_ram()));
    }
    const std::uint64_t offset = at - region->base;
    const std::uint64_t length = std::min(count - done, region->bytes.size() - offset);
    parts.push_back(region->bytes.subspan(offset, length));
    done += length;
  }
  for (const auto part : parts) visit(part);
}

void GuestMemory::copy_out(Gpa gpa, std::span<std::uint8_t> to) const {
  visit("read", gpa, to.size(), false, [&](std::span<std::uint8_t> part) {
    std::memcpy(to.data(), part.data(), part.size());
    to = to.subspan(part.size());
  });
}

void GuestMemory::set_in_use(bool in_use) {
  in_use_ = in_use;
  writes_.clear();
  written_.reset();
}

void GuestMemory::copy_in(Gpa gpa, std::span<const std::uint8_t> from) {
  const std::span<const std::uint8_t> all = from;
  visit("write", gpa, from.size(), true, [&](std::span<std::uint8_t> part) {
    remember_written(part);
    std::memcpy(part.data(), from.data(), part.size());
    from = from.subspan(part.size());
  });
  if (in_use_) writes_.push_back({.gpa = gpa, .bytes = {all.begin(), all.end()}});
}

std::vector<std::uint8_t> GuestMemory::read_bytes(Gpa gpa, std::uint64_t count) const {
  std::vector<std::uint8_t> bytes;
  visit("read", gpa, count, false,
        [&](std::span<std::uint8_t> part) { bytes.insert(bytes.end(), part.begin(), part.end()); });
  return bytes;
}

void GuestMemory::fill(Gpa gpa, std::uint64_t count, std::uint8_t value) {
  if (in_use_) {
    copy_in(gpa, std::vector<std::uint8_t>(count, value));
    return;
  }
  visit("fill", gpa, count, true, [&](std::span<std::uint8_t> part) {
    remember_written(part);
    std::ranges::fill(part, value);
  });
}

std::string GuestMemory::read_string(Gpa gpa, std::uint64_t limit) const {
  std::string text;
  for (std::uint64_t i = 0; i < limit; ++i) {
    const char c = read<char>(gpa + i);
    if (c == '\0') return text;
    text += c;
  }
  throw MemoryError(
      fmt::format("the string at {} does not end within {} bytes", to_string(gpa), limit));
}

void GuestMemory::write_string(Gpa gpa, std::string_view text) {
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.push_back(0);
  copy_in(gpa, bytes);
}

}  // namespace hltest
