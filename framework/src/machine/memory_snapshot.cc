#include "machine/memory_snapshot.h"
#include "machine/guest_memory.h"

#include <algorithm>
#include <cstring>

namespace hltest {
namespace {

constexpr std::size_t kPage = kvm::Mapping::kPage;

bool is_zero(std::span<const std::uint8_t> page) {
  return page.front() == 0 && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

MemorySnapshot::Pages pages_of(const kvm::Mapping& mapping,
                               const std::vector<std::size_t>& touched) {
  MemorySnapshot::Pages pages;
  pages.offsets.reserve(touched.size());
  pages.bytes.reserve(touched.size() * kPage);
  for (const std::size_t offset : touched) {
    const auto page = mapping.bytes().subspan(offset, kPage);
    // Where the host has huge pages, most of what is touched holds nothing.
    if (is_zero(page)) continue;
    pages.offsets.push_back(offset);
    pages.bytes.insert(pages.bytes.end(), page.begin(), page.end());
  }
  return pages;
}

void put(const MemorySnapshot::Pages& pages, const kvm::Mapping& mapping) {
  auto from = pages.bytes.begin();
  for (const std::uint64_t offset : pages.offsets) {
    std::copy_n(from, kPage, mapping.bytes().subspan(offset, kPage).begin());
    from += kPage;
  }
}

}  // namespace

void GuestMemory::remember_written(std::span<const std::uint8_t> part) {
  constexpr std::size_t kMostRuns = 1024;
  if (!written_.has_value() || part.empty()) return;
  const auto offset = static_cast<std::uint64_t>(part.data() - ram_.data());
  const std::uint64_t first = offset / kPage * kPage;
  const std::uint64_t last = (offset + part.size() - 1) / kPage * kPage;
  if (!written_->empty() && first >= written_->back().first &&
      first <= written_->back().second + kPage) {
    written_->back().second = std::max(written_->back().second, last);
  } else if (written_->size() < kMostRuns) {
    written_->emplace_back(first, last);
  } else {
    written_.reset();
  }
}

std::vector<std::size_t> GuestMemory::pages_in_use() const {
  if (!written_.has_value()) return ram_.touched_pages();
  std::vector<std::size_t> pages;
  for (const auto& [first, last] : *written_) {
    for (std::uint64_t page = first; page <= last && page < size_; page += kPage) {
      pages.push_back(page);
    }
  }
  std::ranges::sort(pages);
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  return pages;
}

std::optional<MemorySnapshot> GuestMemory::snapshot() const {
  const std::vector<std::size_t> ram = pages_in_use();
  if (ram.size() > MemorySnapshot::kMostBytes / kPage) return std::nullopt;
  MemorySnapshot snapshot{
      .mode = mode_, .ram_size = size_, .system_size = system_.size(), .ram = pages_of(ram_, ram)};
  if (system_.size() != 0) snapshot.system = pages_of(system_, system_.touched_pages());
  return snapshot;
}

GuestMemory::GuestMemory(const MemorySnapshot& snapshot)
    : GuestMemory(snapshot.ram_size, snapshot.mode) {
  written_.reset();
  put(snapshot.ram, ram_);
  if (snapshot.system_size == 0) return;
  create_system_region(snapshot.system_size);
  put(snapshot.system, system_);
}

}  // namespace hltest
