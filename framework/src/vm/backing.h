#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hltest/x86/address.h>
#include <hltest/x86/cpu_mode.h>

#include "kvm/mapping.h"

namespace hltest::internal {

inline constexpr std::uint64_t kPageSize = 4 * kKiB;

/// Where a guest's memory is in its physical address space.
struct MemoryLayout {
  /// A guest that starts in real mode has the framework's region in the BIOS ROM segment.
  CpuMode start_mode{};
  std::uint64_t ram_size = 0;     ///< bytes
  std::uint64_t system_size = 0;  ///< bytes of the framework's region; 0 before it is laid out
  bool rom_is_writable = false;   ///< to the guest, in real mode

  [[nodiscard]] bool has_rom() const { return start_mode == CpuMode::kReal16; }
  /// Where the framework's region begins, and the HLTs in it that serve as handlers.
  [[nodiscard]] Gpa system_base() const;
  [[nodiscard]] Gva handlers() const;
  friend bool operator==(const MemoryLayout&, const MemoryLayout&) = default;
};

enum class RegionKind : std::uint8_t { kRam, kSystem, kRom };

/// A range of guest-physical addresses that is backed.
struct Region {
  Gpa base{};
  std::uint64_t size = 0;
  RegionKind kind = RegionKind::kRam;
  std::uint64_t offset = 0;  ///< in the mapping of its kind

  [[nodiscard]] Gpa last() const { return base + (size - 1); }
};

/// The regions of a layout, by address; no two overlap.
std::vector<Region> regions_of(const MemoryLayout& layout);
/// True when `count` bytes from `gpa` on are RAM of one region.
bool is_ram(const MemoryLayout& layout, Gpa gpa, std::uint64_t count);
/// `RAM 0x0-0xeffff and 0x100000-0xffffff`.
std::string describe_ram(const MemoryLayout& layout);

/// The address that a closed A20 gate makes of one: of the second MiB, that in the first.
Gpa through_closed_a20(Gpa gpa);

/// Host memory behind a guest's physical addresses, as behind an open A20 gate. It starts as zeros,
/// and what is not touched costs nothing. To be used from one thread.
class Backing {
 public:
  /// Throws `MemoryError` where this host can't give so much.
  explicit Backing(const MemoryLayout& layout);

  [[nodiscard]] const MemoryLayout& layout() const { return layout_; }
  [[nodiscard]] const std::vector<Region>& regions() const { return regions_; }

  /// How many of `count` bytes from `gpa` on are backed, before the first that is not.
  [[nodiscard]] std::uint64_t backed(Gpa gpa, std::uint64_t count) const;
  [[nodiscard]] bool is_backed(Gpa gpa) const { return backed(gpa, 1) == 1; }
  /// The kind of the memory at `gpa`; nothing where there is none.
  [[nodiscard]] std::optional<RegionKind> kind(Gpa gpa) const;

  /// Bytes from `gpa` on: fewer where they are not backed.
  [[nodiscard]] std::vector<std::uint8_t> read(Gpa gpa, std::uint64_t count) const;
  /// Copies what is backed of them, and returns how many bytes.
  std::uint64_t read(Gpa gpa, std::span<std::uint8_t> to) const;
  /// Writes what is backed of them.
  void write(Gpa gpa, std::span<const std::uint8_t> from);

  /// Whether the guest's A20 gate is open. It is, until `Guest` says otherwise.
  [[nodiscard]] bool a20_is_open() const { return a20_is_open_; }
  void set_a20(bool is_open) { a20_is_open_ = is_open; }
  /// The address behind the gate.
  [[nodiscard]] Gpa through_a20(Gpa gpa) const {
    return a20_is_open_ ? gpa : through_closed_a20(gpa);
  }

  /// The pages that may hold something else than zeros, by their addresses.
  [[nodiscard]] std::vector<Gpa> pages_in_use() const;
  /// From now on the guest may have written any page.
  void set_guest_has_run() { written_.reset(); }
  /// Makes all of it zeros again.
  void clear();

  /// The memory of a region, for a memory slot.
  [[nodiscard]] std::span<std::uint8_t> memory(const Region& region);
  /// A page that is backed.
  [[nodiscard]] std::span<const std::uint8_t> page(Gpa page) const;

 private:
  // Pages from the first of a pair to the second.
  using PageRuns = std::vector<std::pair<Gpa, Gpa>>;

  [[nodiscard]] const Region* region_at(Gpa gpa) const;
  [[nodiscard]] const kvm::Mapping& mapping(RegionKind kind) const {
    return kind == RegionKind::kRam ? ram_ : system_;
  }
  template <typename Visit>
  std::uint64_t visit(Gpa gpa, std::uint64_t count, Visit&& visit) const;
  void remember_written(Gpa gpa, std::uint64_t count);

  MemoryLayout layout_;
  std::vector<Region> regions_;
  kvm::Mapping ram_;
  kvm::Mapping system_;
  bool a20_is_open_ = true;
  // Pages that may be non-zero; nothing after a guest has run (then mincore is asked). Asking it
  // takes long for gigabytes.
  std::optional<PageRuns> written_ = PageRuns{};
};

/// A backing whose contents others may hold: it is copied before it changes for as long as they do.
class SharedBacking {
 public:
  explicit SharedBacking(std::shared_ptr<Backing> backing) : backing_(std::move(backing)) {}

  [[nodiscard]] const Backing& get() const { return *backing_; }
  /// For the guest that runs on it, which changes it whoever holds it.
  [[nodiscard]] const std::shared_ptr<Backing>& in_place() const { return backing_; }
  /// To be written to.
  Backing& writable();
  /// What it holds now, for as long as the holder wants it.
  [[nodiscard]] std::shared_ptr<const Backing> share();

 private:
  std::shared_ptr<Backing> backing_;
  std::weak_ptr<const std::shared_ptr<Backing>> holders_;
};

}  // namespace hltest::internal
