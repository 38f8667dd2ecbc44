#include <hltest/disk.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <hltest/error.h>

#include "kvm/unique_fd.h"

namespace hltest::internal {

/// What a disk holds before anything is written to it.
class DiskContent {
 public:
  DiskContent() = default;
  DiskContent(const DiskContent&) = delete;
  DiskContent& operator=(const DiskContent&) = delete;
  virtual ~DiskContent() = default;
  /// Fills in one sector, which is zeros.
  virtual void read(std::uint64_t lba, Disk::Sector& sector) const = 0;
};

namespace {

class Bytes : public DiskContent {
 public:
  explicit Bytes(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void read(std::uint64_t lba, Disk::Sector& sector) const override {
    const std::uint64_t begin = lba * Disk::kSectorSize;
    if (begin >= bytes_.size()) return;
    const auto count = std::min<std::uint64_t>(Disk::kSectorSize, bytes_.size() - begin);
    std::memcpy(sector.data(), bytes_.data() + begin, count);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

// The sectors of guests, and zeros between them.
class Parts : public DiskContent {
 public:
  explicit Parts(std::vector<DiskPart> parts) : parts_(std::move(parts)) {}
  void read(std::uint64_t lba, Disk::Sector& sector) const override {
    for (const DiskPart& part : parts_) {
      const auto bytes = part.bytes();
      if (lba < part.lba || (lba - part.lba) * Disk::kSectorSize >= bytes.size()) continue;
      const auto rest = bytes.subspan((lba - part.lba) * Disk::kSectorSize);
      std::memcpy(sector.data(), rest.data(), std::min(rest.size(), sector.size()));
    }
  }

 private:
  std::vector<DiskPart> parts_;
};

class File : public DiskContent {
 public:
  File(std::string path, kvm::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void read(std::uint64_t lba, Disk::Sector& sector) const override {
    const auto offset = static_cast<off_t>(lba * Disk::kSectorSize);
    if (pread(fd_.get(), sector.data(), sector.size(), offset) >= 0) return;
    throw HostError("reading sector " + std::to_string(lba) + " of " + path_, errno);
  }

 private:
  std::string path_;
  kvm::UniqueFd fd_;
};

struct FloppyFormat {
  std::uint64_t sectors;
  DiskGeometry geometry;
};
constexpr std::array kFloppies = {
    FloppyFormat{320, {40, 1, 8}},   FloppyFormat{360, {40, 1, 9}},
    FloppyFormat{640, {40, 2, 8}},   FloppyFormat{720, {40, 2, 9}},
    FloppyFormat{1440, {80, 2, 9}},  FloppyFormat{2400, {80, 2, 15}},
    FloppyFormat{2880, {80, 2, 18}}, FloppyFormat{3360, {80, 2, 21}},
    FloppyFormat{5760, {80, 2, 36}},
};

const FloppyFormat* floppy_of(std::uint64_t sectors) {
  const auto* const found = std::ranges::find(kFloppies, sectors, &FloppyFormat::sectors);
  return found != kFloppies.end() ? found : nullptr;
}

std::uint64_t sectors_of(std::uint64_t bytes) {
  return (bytes + Disk::kSectorSize - 1) / Disk::kSectorSize;
}

std::string describe(const DiskPart& part) {
  return fmt::format("{} (sectors {}-{})", part.image.name(), part.lba,
                     part.lba + sectors_of(part.bytes().size()) - 1);
}

}  // namespace
}  // namespace hltest::internal

namespace hltest {

using internal::sectors_of;

constexpr std::uint64_t kMostSectors = 1ULL << 32U;

DiskPart sector(const FlatImage& image) { return {.lba = 0, .image = image}; }
DiskPart at(std::uint64_t lba, const FlatImage& image) { return {.lba = lba, .image = image}; }

Disk::Disk(std::uint64_t sectors) : sectors_(sectors) {
  if (sectors == 0 || sectors > kMostSectors) {
    throw SetupError(fmt::format("a disk of {} sectors: it can have 1 to 2^32", sectors));
  }
}

Disk::Disk(std::initializer_list<DiskPart> parts) : Disk(std::vector<DiskPart>{parts}) {}

Disk::Disk(std::vector<DiskPart> parts) : sectors_(2880), parts_(std::move(parts)) {
  std::ranges::sort(parts_, {}, &DiskPart::lba);
  std::uint64_t end = 0;
  const DiskPart* before = nullptr;
  for (const DiskPart& part : parts_) {
    if (part.lba >= kMostSectors) {
      throw SetupError(fmt::format("{} at sector {}: a disk can have 2^32 sectors",
                                   part.image.name(), part.lba));
    }
    if (before != nullptr && part.lba < end) {
      throw SetupError(fmt::format("on the disk, {} and {} overlap", internal::describe(*before),
                                   internal::describe(part)));
    }
    end = part.lba + sectors_of(part.bytes().size());
    before = &part;
  }
  if (end > kMostSectors) {
    throw SetupError(fmt::format("{}: a disk can have 2^32 sectors", internal::describe(*before)));
  }
  sectors_ = std::max(sectors_, end);
  content_ = std::make_shared<internal::Parts>(parts_);
}

Disk::Disk(std::uint64_t sectors, std::vector<DiskPart> parts) : Disk(sectors) {
  Disk disk{std::move(parts)};
  for (const DiskPart& part : disk.parts_) {
    if (part.lba + sectors_of(part.bytes().size()) <= sectors) continue;
    throw SetupError(fmt::format("{} does not fit on a disk of {} sectors: make the disk larger",
                                 internal::describe(part), sectors));
  }
  parts_ = std::move(disk.parts_);
  content_ = std::move(disk.content_);
}

Disk Disk::of_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw SetupError("a disk of no bytes: it needs one sector at least");
  Disk disk{sectors_of(bytes.size())};
  disk.content_ =
      std::make_shared<internal::Bytes>(std::vector<std::uint8_t>{bytes.begin(), bytes.end()});
  return disk;
}

Disk Disk::of_file(const std::string& path) {
  const auto refuse = [&path](const std::string& why) {
    return SetupError(fmt::format("the disk image {}: {}", path, why));
  };
  internal::kvm::UniqueFd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (fd.get() < 0) throw refuse(fmt::format("it can't be read ({})", std::strerror(errno)));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw HostError("fstat of " + path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) throw refuse("it is no file");
  const off_t size = lseek(fd.get(), 0, SEEK_END);
  if (size <= 0) throw refuse("it is empty");
  Disk disk{sectors_of(static_cast<std::uint64_t>(size))};
  disk.name_ = std::filesystem::path{path}.filename().string();
  disk.content_ = std::make_shared<internal::File>(path, std::move(fd));
  return disk;
}

bool Disk::has_floppy_size() const { return internal::floppy_of(sectors_) != nullptr; }

void Disk::set_geometry(const DiskGeometry& geometry) {
  const auto is_between = [](unsigned value, unsigned most) { return value >= 1 && value <= most; };
  if (!is_between(geometry.cylinders, 1024) || !is_between(geometry.heads, 255) ||
      !is_between(geometry.sectors, 63)) {
    throw SetupError(fmt::format(
        "a disk of {} cylinders, {} heads and {} sectors: INT 13h has room for 1 to 1024, 1 to 255 "
        "and 1 to 63",
        geometry.cylinders, geometry.heads, geometry.sectors));
  }
  geometry_ = geometry;
}

DiskGeometry Disk::geometry() const {
  if (geometry_) return *geometry_;
  if (const auto* const floppy = internal::floppy_of(sectors_)) return floppy->geometry;
  constexpr unsigned kSectors = 63;
  constexpr std::uint64_t kCylinders = 1024;
  unsigned heads = 16;
  while (heads < 255 && std::uint64_t{heads} * kSectors * kCylinders < sectors_) {
    heads = std::min(heads * 2, 255U);
  }
  const std::uint64_t cylinders = sectors_ / (std::uint64_t{heads} * kSectors);
  return {.cylinders = static_cast<unsigned>(std::clamp<std::uint64_t>(cylinders, 1, kCylinders)),
          .heads = heads,
          .sectors = kSectors};
}

void Disk::check(std::uint64_t lba) const {
  if (lba < sectors_) return;
  throw SetupError(fmt::format("sector {} of a disk of {}: there is none", lba, sectors_));
}

Disk::Sector Disk::read(std::uint64_t lba) const {
  check(lba);
  if (const auto found = written_.find(lba); found != written_.end()) return found->second;
  Sector sector{};
  if (content_ != nullptr) content_->read(lba, sector);
  return sector;
}

void Disk::write(std::uint64_t lba, const Sector& sector) {
  check(lba);
  written_.insert_or_assign(lba, sector);
}

std::vector<std::uint8_t> Disk::read_bytes(std::uint64_t offset, std::uint64_t count) const {
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const std::uint64_t at = offset + bytes.size();
    const Sector sector = read(at / kSectorSize);
    const std::uint64_t begin = at % kSectorSize;
    const std::uint64_t size = std::min(kSectorSize - begin, count - bytes.size());
    bytes.insert(bytes.end(), sector.begin() + static_cast<std::ptrdiff_t>(begin),
                 sector.begin() + static_cast<std::ptrdiff_t>(begin + size));
  }
  return bytes;
}

void Disk::write_bytes(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    Sector sector = read(offset / kSectorSize);
    const std::uint64_t begin = offset % kSectorSize;
    const std::size_t size = std::min<std::size_t>(kSectorSize - begin, bytes.size());
    std::memcpy(sector.data() + begin, bytes.data(), size);
    write(offset / kSectorSize, sector);
    bytes = bytes.subspan(size);
    offset += size;
  }
}

std::vector<std::uint64_t> Disk::written_sectors() const {
  std::vector<std::uint64_t> sectors;
  sectors.reserve(written_.size());
  for (const auto& [lba, sector] : written_) sectors.push_back(lba);
  return sectors;
}

}  // namespace hltest
