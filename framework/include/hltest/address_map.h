#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/x86/paging.h>

namespace hltest {

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

  /// A change of the identity map.
  struct Change {
    enum class Kind { kMap, kRemap, kUnmap } kind;
    PageMapping mapping;
  };
  /// In order.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  /// Where the first table is to be in RAM; nothing for the system region.
  [[nodiscard]] std::optional<Gpa> placed_at() const { return placed_at_; }
  /// Whether CPL 3 may access the identity-mapped RAM.
  [[nodiscard]] bool is_user() const { return user_; }

 private:
  void change(Change::Kind kind, const PageMapping& mapping);

  PagingMode mode_;
  std::vector<Change> changes_;
  std::optional<PageMap> own_;  // the test's mappings alone, once there are any
  std::optional<Gpa> placed_at_;
  bool user_ = false;
};

}  // namespace hltest
