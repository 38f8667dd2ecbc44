#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "vm/backing.h"

namespace hltest::internal {

/// What a guest's memory holds at one moment: pages, and below them, where there is one, a backing
/// that does not change any more. Copies share the pages. What is nowhere is zeros.
class MemoryPages {
 public:
  using Page = std::array<std::uint8_t, kPageSize>;

  MemoryPages() = default;
  /// What `base` holds, without copying it.
  explicit MemoryPages(std::shared_ptr<const Backing> base);
  /// A copy of what `memory` holds. Pages that are as in `before` are shared with it.
  static MemoryPages copy_of(const Backing& memory, const MemoryPages* before = nullptr);

  [[nodiscard]] const MemoryLayout& layout() const { return layout_; }
  /// Gives the framework's region its size, and the guest the right to write to its ROM.
  void set_system_region(std::uint64_t size, bool rom_is_writable);

  /// Bytes from `gpa` on; zeros where nothing was written.
  [[nodiscard]] std::vector<std::uint8_t> read(Gpa gpa, std::uint64_t count) const;
  void write(Gpa gpa, std::span<const std::uint8_t> bytes);

  /// Puts all of it into memory that is zeros.
  void put_into(Backing& memory) const;

  /// True when both hold the same bytes in the same layout.
  [[nodiscard]] bool holds_the_same_as(const MemoryPages& other) const;

 private:
  [[nodiscard]] Page page_at(std::uint64_t page) const;
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;

  MemoryLayout layout_;
  std::shared_ptr<const Backing> base_;
  std::map<std::uint64_t, std::shared_ptr<const Page>> pages_;  // by address / kPageSize
};

}  // namespace hltest::internal
