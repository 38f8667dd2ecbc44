#include "vm/backing.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include <hltest/error.h>
#include <hltest/memory_layout.h>

namespace hltest::internal {
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

kvm::Mapping map_ram(std::uint64_t size) {
  check_size(size);
  try {
    return kvm::Mapping::anonymous(size);
  } catch (const HostError& error) {
    throw MemoryError(
        fmt::format("a memory size of {:#x} bytes is beyond this host: {}", size, error.what()));
  }
}

}  // namespace

Gpa MemoryLayout::system_base() const { return has_rom() ? kRomRegion : kSystemRegion; }
Gva MemoryLayout::handlers() const { return Gva{(system_base() + kHandlersOffset).value()}; }

std::vector<Region> regions_of(const MemoryLayout& layout) {
  std::vector<Region> regions;
  const auto add_ram = [&](Gpa base, std::uint64_t offset, std::uint64_t end) {
    if (offset < end) regions.push_back({base, end - offset, RegionKind::kRam, offset});
  };
  const std::uint64_t low_end = std::min(layout.ram_size, kSystemRegion.value());
  const bool has_system = layout.system_size != 0;
  if (layout.has_rom()) {
    const Gpa after_rom = kRomRegion + kRomSize;
    add_ram(Gpa{0}, 0, std::min(low_end, kRomRegion.value()));
    if (has_system) regions.push_back({kRomRegion, layout.system_size, RegionKind::kRom, 0});
    add_ram(after_rom, after_rom.value(), low_end);
  } else {
    add_ram(Gpa{0}, 0, low_end);
    if (has_system) regions.push_back({kSystemRegion, layout.system_size, RegionKind::kSystem, 0});
  }
  add_ram(kHighMemory, kSystemRegion.value(), layout.ram_size);
  return regions;
}

bool is_ram(const MemoryLayout& layout, Gpa gpa, std::uint64_t count) {
  return std::ranges::any_of(regions_of(layout), [&](const Region& region) {
    return region.kind == RegionKind::kRam && gpa >= region.base &&
           gpa - region.base <= region.size && count <= region.size - (gpa - region.base);
  });
}

std::string describe_ram(const MemoryLayout& layout) {
  std::string text;
  for (const Region& region : regions_of(layout)) {
    if (region.kind != RegionKind::kRam) continue;
    fmt::format_to(std::back_inserter(text), "{}{}-{}", text.empty() ? "RAM " : " and ",
                   to_string(region.base), to_string(region.last()));
  }
  return text;
}

Backing::Backing(const MemoryLayout& layout)
    : layout_(layout), regions_(regions_of(layout)), ram_(map_ram(layout.ram_size)) {
  if (layout.system_size != 0) system_ = kvm::Mapping::anonymous(layout.system_size);
}

const Region* Backing::region_at(Gpa gpa) const {
  for (const Region& region : regions_) {
    if (gpa >= region.base && gpa - region.base < region.size) return &region;
  }
  return nullptr;
}

std::optional<RegionKind> Backing::kind(Gpa gpa) const {
  const Region* const region = region_at(gpa);
  return region != nullptr ? std::optional{region->kind} : std::nullopt;
}

template <typename Visit>
std::uint64_t Backing::visit(Gpa gpa, std::uint64_t count, Visit&& visit) const {
  std::uint64_t done = 0;
  while (done < count) {
    const Gpa at = gpa + done;
    const Region* const region = at >= gpa ? region_at(at) : nullptr;
    if (region == nullptr) break;
    const std::uint64_t offset = at - region->base;
    const std::uint64_t length = std::min(count - done, region->size - offset);
    visit(mapping(region->kind).bytes().subspan(region->offset + offset, length), done);
    done += length;
  }
  return done;
}

std::uint64_t Backing::backed(Gpa gpa, std::uint64_t count) const {
  return visit(gpa, count, [](std::span<std::uint8_t>, std::uint64_t) {});
}

std::uint64_t Backing::read(Gpa gpa, std::span<std::uint8_t> to) const {
  return visit(gpa, to.size(), [to](std::span<const std::uint8_t> part, std::uint64_t done) {
    std::memcpy(to.subspan(done).data(), part.data(), part.size());
  });
}

std::vector<std::uint8_t> Backing::read(Gpa gpa, std::uint64_t count) const {
  std::vector<std::uint8_t> bytes(backed(gpa, count));
  read(gpa, bytes);
  return bytes;
}

void Backing::write(Gpa gpa, std::span<const std::uint8_t> from) {
  const std::uint64_t written =
      visit(gpa, from.size(), [from](std::span<std::uint8_t> part, std::uint64_t done) {
        std::memcpy(part.data(), from.subspan(done).data(), part.size());
      });
  remember_written(gpa, written);
}

void Backing::remember_written(Gpa gpa, std::uint64_t count) {
  constexpr std::size_t kMostRuns = 1024;
  if (!written_.has_value() || count == 0) return;
  const Gpa first{gpa.value() / kPageSize * kPageSize};
  const Gpa last{(gpa + (count - 1)).value() / kPageSize * kPageSize};
  if (!written_->empty() && first >= written_->back().first &&
      first <= written_->back().second + kPageSize) {
    written_->back().second = std::max(written_->back().second, last);
  } else if (written_->size() < kMostRuns) {
    written_->emplace_back(first, last);
  } else {
    written_.reset();
  }
}

std::vector<Gpa> Backing::pages_in_use() const {
  std::vector<Gpa> pages;
  if (written_.has_value()) {
    for (const auto& [first, last] : *written_) {
      for (Gpa page = first; page <= last; page = page + kPageSize) {
        if (is_backed(page)) pages.push_back(page);
      }
    }
    std::ranges::sort(pages);
    pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
    return pages;
  }
  const std::vector<std::size_t> ram = ram_.touched_pages();
  const std::vector<std::size_t> system =
      system_.size() != 0 ? system_.touched_pages() : std::vector<std::size_t>{};
  for (const Region& region : regions_) {
    const auto& touched = region.kind == RegionKind::kRam ? ram : system;
    for (auto at = std::ranges::lower_bound(touched, region.offset);
         at != touched.end() && *at < region.offset + region.size; ++at) {
      pages.push_back(region.base + (*at - region.offset));
    }
  }
  return pages;
}

void Backing::clear() {
  ram_.clear();
  if (system_.size() != 0) system_.clear();
  written_ = PageRuns{};
}

std::span<std::uint8_t> Backing::memory(const Region& region) {
  return mapping(region.kind).bytes().subspan(region.offset, region.size);
}

std::span<const std::uint8_t> Backing::page(Gpa page) const {
  const Region* const region = region_at(page);
  return mapping(region->kind).bytes().subspan(region->offset + (page - region->base), kPageSize);
}

Backing& SharedBacking::writable() {
  if (!holders_.expired()) {
    auto copy = std::make_shared<Backing>(backing_->layout());
    for (const Gpa page : backing_->pages_in_use()) copy->write(page, backing_->page(page));
    backing_ = std::move(copy);
    holders_.reset();
  }
  return *backing_;
}

std::shared_ptr<const Backing> SharedBacking::share() {
  auto holder = holders_.lock();
  if (holder == nullptr) {
    holder = std::make_shared<const std::shared_ptr<Backing>>(backing_);
    holders_ = holder;
  }
  return {holder, holder->get()};
}

}  // namespace hltest::internal
