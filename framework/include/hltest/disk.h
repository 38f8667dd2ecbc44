#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hltest/disk_transfer.h>
#include <hltest/image.h>

namespace hltest {

namespace internal {
class DiskContent;
}

/// Cylinders, heads, and sectors of a track, each a count.
struct DiskGeometry {
  unsigned cylinders = 0;
  unsigned heads = 0;
  unsigned sectors = 0;
  friend bool operator==(const DiskGeometry&, const DiskGeometry&) = default;
};

/// A guest on a disk, from a sector on.
struct DiskPart {
  std::uint64_t lba = 0;
  FlatImage image;
  /// The first byte of the image that is on the disk, at the beginning of sector `lba`: for an
  /// image that lies on the disk in pieces, as a fragmented file does.
  std::uint64_t offset = 0;

  /// The bytes that are on the disk: of the image, those from `offset` on.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const {
    return image.bytes().subspan(std::min<std::uint64_t>(offset, image.bytes().size()));
  }
};
/// The boot sector, and what follows it in the image: from sector 0 on.
DiskPart sector(const FlatImage& image);
/// An image from sector `lba` on.
DiskPart at(std::uint64_t lba, const FlatImage& image);

/// A disk of sectors of 512 bytes, as a value: a run changes its own copy. Copies share what they
/// have in common. To be used by one thread at a time.
class Disk {
 public:
  static constexpr std::uint64_t kSectorSize = 512;
  using Sector = std::array<std::uint8_t, kSectorSize>;

  /// `sectors` of zeros. Throws `SetupError` for none, and for more than 2 TiB.
  explicit Disk(std::uint64_t sectors);
  /// Guests, zeros between them, and as many sectors as hold them (2880 at least, a floppy of 1.44
  /// MB). Throws `SetupError` where two overlap, and beyond 2 TiB.
  Disk(std::initializer_list<DiskPart> parts);
  explicit Disk(std::vector<DiskPart> parts);
  /// Guests on a disk of `sectors`. Throws `SetupError` as above, and where one does not fit.
  Disk(std::uint64_t sectors, std::vector<DiskPart> parts);
  /// The bytes of an image; a last sector that is not whole is filled up with zeros. Throws
  /// `SetupError` for none.
  static Disk of_bytes(std::span<const std::uint8_t> bytes);
  /// A file, which is read when the guest reads it, and never written: what the guest writes is in
  /// this value. Throws `SetupError` where it is missing, empty or can't be read.
  static Disk of_file(const std::string& path);

  [[nodiscard]] std::uint64_t sectors() const { return sectors_; }
  /// One of a standard floppy's (160 KB to 2.88 MB, by its size) unless it is given; otherwise that
  /// of a hard disk with 63 sectors and 16 to 255 heads.
  [[nodiscard]] DiskGeometry geometry() const;
  /// Throws `SetupError` for what INT 13h has no room for: 1 to 1024 cylinders, 1 to 255 heads, 1
  /// to 63 sectors.
  void set_geometry(const DiskGeometry& geometry);
  /// True for the size of a standard floppy disk.
  [[nodiscard]] bool has_floppy_size() const;

  /// Throws `SetupError` beyond the last sector, and `HostError` where a file can't be read.
  [[nodiscard]] Sector read(std::uint64_t lba) const;
  void write(std::uint64_t lba, const Sector& sector);
  /// Bytes from `offset` on, across sectors.
  [[nodiscard]] std::vector<std::uint8_t> read_bytes(std::uint64_t offset,
                                                     std::uint64_t count) const;
  void write_bytes(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  /// The sectors that were written since the disk was made, in order.
  [[nodiscard]] std::vector<std::uint64_t> written_sectors() const;

  /// The file's name, without folders; empty for a disk of no file.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// The guests that it was made of.
  [[nodiscard]] const std::vector<DiskPart>& parts() const { return parts_; }

 private:
  void check(std::uint64_t lba) const;

  std::string name_{};
  std::uint64_t sectors_ = 0;
  std::optional<DiskGeometry> geometry_{};
  std::vector<DiskPart> parts_{};
  std::shared_ptr<const internal::DiskContent> content_{};  // null: zeros
  std::map<std::uint64_t, Sector> written_{};
};

}  // namespace hltest
