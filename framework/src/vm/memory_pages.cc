#include "vm/memory_pages.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace hltest::internal {
namespace {

bool is_zero(std::span<const std::uint8_t> page) {
  return page.front() == 0 && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

}  // namespace

MemoryPages::MemoryPages(std::shared_ptr<const Backing> base)
    : layout_(base->layout()), base_(std::move(base)) {}

MemoryPages MemoryPages::copy_of(const Backing& memory, const MemoryPages* before) {
  MemoryPages copy;
  copy.layout_ = memory.layout();
  for (const Gpa page : memory.pages_in_use()) {
    const auto bytes = memory.page(page);
    const std::uint64_t number = page.value() / kPageSize;
    if (before != nullptr) {
      const auto old = before->pages_.find(number);
      if (old != before->pages_.end() && std::ranges::equal(*old->second, bytes)) {
        copy.pages_.insert(copy.pages_.end(), *old);
        continue;
      }
    }
    // Where the host has huge pages, most of what is touched holds nothing.
    if (is_zero(bytes)) continue;
    auto own = std::make_shared<Page>();
    std::ranges::copy(bytes, own->begin());
    copy.pages_.emplace_hint(copy.pages_.end(), number, std::move(own));
  }
  return copy;
}

void MemoryPages::set_system_region(std::uint64_t size, bool rom_is_writable) {
  layout_.system_size = size;
  layout_.rom_is_writable = rom_is_writable;
}

MemoryPages::Page MemoryPages::page_at(std::uint64_t page) const {
  if (const auto own = pages_.find(page); own != pages_.end()) return *own->second;
  Page bytes{};
  if (base_ != nullptr) base_->read(Gpa{page * kPageSize}, bytes);
  return bytes;
}

std::vector<std::uint8_t> MemoryPages::read(Gpa gpa, std::uint64_t count) const {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(count);
  while (bytes.size() < count) {
    const std::uint64_t at = gpa.value() + bytes.size();
    const std::uint64_t inside = at % kPageSize;
    const std::uint64_t length = std::min(count - bytes.size(), kPageSize - inside);
    const Page page = page_at(at / kPageSize);
    const std::uint8_t* const begin = page.data() + inside;
    bytes.insert(bytes.end(), begin, begin + length);
  }
  return bytes;
}

void MemoryPages::write(Gpa gpa, std::span<const std::uint8_t> bytes) {
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::uint64_t at = gpa.value() + done;
    const std::uint64_t inside = at % kPageSize;
    const std::uint64_t length = std::min<std::uint64_t>(bytes.size() - done, kPageSize - inside);
    auto page = std::make_shared<Page>(page_at(at / kPageSize));
    std::memcpy(page->data() + inside, bytes.data() + done, length);
    pages_.insert_or_assign(at / kPageSize, std::move(page));
    done += length;
  }
}

void MemoryPages::put_into(Backing& memory) const {
  if (base_ != nullptr) {
    for (const Gpa page : base_->pages_in_use()) {
      if (!pages_.contains(page.value() / kPageSize)) memory.write(page, base_->page(page));
    }
  }
  for (const auto& [number, page] : pages_) memory.write(Gpa{number * kPageSize}, *page);
}

std::vector<std::uint64_t> MemoryPages::numbers() const {
  std::vector<std::uint64_t> numbers;
  if (base_ != nullptr) {
    for (const Gpa page : base_->pages_in_use()) numbers.push_back(page.value() / kPageSize);
  }
  for (const auto& [number, page] : pages_) numbers.push_back(number);
  return numbers;
}

bool MemoryPages::holds_the_same_as(const MemoryPages& other) const {
  std::vector<std::uint64_t> both = numbers();
  std::ranges::copy(other.numbers(), std::back_inserter(both));
  return layout_ == other.layout_ && std::ranges::all_of(both, [&](std::uint64_t number) {
           return page_at(number) == other.page_at(number);
         });
}

}  // namespace hltest::internal
