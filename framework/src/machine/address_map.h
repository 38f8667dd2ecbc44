#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/x86/paging.h>
#include "machine/guest_memory.h"

namespace hltest {

/// Page tables, where the first of them is, and the size of the system region with them.
struct PlacedPageTables {
  std::vector<PageTable> tables{};
  Gpa first_table{};
  std::uint64_t region_size = 0;

  [[nodiscard]] std::uint64_t size() const { return tables.size() * sizeof(PageTable); }
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

  /// Where the first table is: in the system region unless `place_at` was called.
  [[nodiscard]] Gpa first_table() const;
  /// Puts the tables into RAM from `first_table` on. Throws `PagingError` unless it is 4 KiB
  /// aligned.
  void place_at(Gpa first_table);
  /// Whether CPL 3 may access the identity-mapped RAM.
  void set_user(bool user) { user_ = user; }

  /// See `PageMap`. What overlaps another mapping of the test's is an error at once; what overlaps
  /// the identity map is one when the tables are made.
  void map(const PageMapping& mapping);
  void remap(const PageMapping& mapping);
  void unmap(Gva gva, std::uint64_t size);

  /// True when the test itself mapped `gva`.
  [[nodiscard]] bool is_mapped_by_test(Gva gva) const;

  /// The tables for a guest with this memory. Throws `PagingError`, also where they are to be
  /// placed in RAM and don't fit.
  [[nodiscard]] PlacedPageTables build(const GuestMemory& memory) const;

 private:
  struct Change {
    enum class Kind { kMap, kRemap, kUnmap } kind;
    PageMapping mapping;
  };

  void change(Change::Kind kind, const PageMapping& mapping);
  static void apply(const Change& change, PageMap& map);
  [[nodiscard]] PlacedPageTables build_in_ram(const GuestMemory& memory) const;
  [[nodiscard]] PageMap with_identity(const GuestMemory& memory, std::uint64_t region_size) const;

  PagingMode mode_;
  std::vector<Change> changes_;
  std::optional<PageMap> own_;  // the test's mappings alone, once there are any
  std::optional<Gpa> placed_at_;
  bool user_ = false;
};

}  // namespace hltest
