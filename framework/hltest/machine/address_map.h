#pragma once

#include <cstdint>
#include <vector>

#include <hltest/machine/guest_memory.h>
#include <hltest/x86/paging.h>

namespace hltest {

/// Page tables and the size of the region that they lie in.
struct PlacedPageTables {
  std::vector<PageTable> tables{};
  std::uint64_t region_size = 0;
};

/// What the page tables that a guest starts with are to map: RAM and the system region to
/// themselves, with what the test changed of that. In 32-bit and PAE paging only what is below 4
/// GiB.
class AddressMap {
 public:
  /// For `PagingMode::kNone` there is nothing to map.
  explicit AddressMap(PagingMode mode) : mode_(mode) {}

  [[nodiscard]] PagingMode mode() const { return mode_; }
  /// Changes the mode. Throws `PagingError` when there are changes already.
  void set_mode(PagingMode mode);

  /// See `PageMap`. What overlaps another mapping of the test's is an error at once; what overlaps
  /// the identity map is one when the tables are made.
  void map(const PageMapping& mapping);
  void remap(const PageMapping& mapping);
  void unmap(Gva gva, std::uint64_t size);

  /// True when the test itself mapped `gva`.
  [[nodiscard]] bool is_mapped_by_test(Gva gva) const;

  /// The tables for a guest with this memory, as they go into the system region. Throws
  /// `PagingError`.
  [[nodiscard]] PlacedPageTables build(const GuestMemory& memory) const;

 private:
  struct Change {
    enum class Kind { kMap, kRemap, kUnmap } kind;
    PageMapping mapping;
  };

  void change(Change::Kind kind, const PageMapping& mapping);
  static void apply(const Change& change, PageMap& map);
  [[nodiscard]] PageMap with_identity(const GuestMemory& memory, std::uint64_t region_size) const;

  PagingMode mode_;
  std::vector<Change> changes_;
};

}  // namespace hltest
