// FAT volumes as parts of a disk (Microsoft FAT specification 1.03).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <hltest/disk_layout.h>
#include <hltest/error.h>

#include "devices/fat_layout.h"
#include "devices/sector_bytes.h"

namespace hltest {
namespace internal {
namespace {

constexpr std::size_t kBaseSize = 8;
constexpr std::size_t kExtensionSize = 3;

bool is_name_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'()-@^_`{}~";
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_part_of_a_name(std::string_view part, std::size_t most) {
  return !part.empty() && part.size() <= most && std::ranges::all_of(part, is_name_character);
}

}  // namespace

std::vector<std::uint8_t> directory_name(const std::string& name) {
  const std::size_t dot = name.find('.');
  const std::string base = name.substr(0, dot);
  const std::string extension = dot == std::string::npos ? "" : name.substr(dot + 1);
  const bool is_extension =
      dot == std::string::npos || is_part_of_a_name(extension, kExtensionSize);
  if (!is_part_of_a_name(base, kBaseSize) || !is_extension) {
    throw SetupError(fmt::format(
        "\"{}\" is no name of a file on a FAT volume: give it 1 to 8 characters, and after a dot 1 "
        "to 3, of A-Z, 0-9 and !#$%&'()-@^_`{{}}~",
        name));
  }
  std::vector<std::uint8_t> bytes(kBaseSize + kExtensionSize, ' ');
  std::ranges::copy(base, bytes.begin());
  std::ranges::copy(extension, bytes.begin() + kBaseSize);
  return bytes;
}

FlatImage image_of(const FatFile& file) {
  if (const auto* const guest = std::get_if<FlatImage>(&file.content)) return *guest;
  return {file.name, std::get<std::vector<std::uint8_t>>(file.content)};
}

namespace {

using Chain = std::vector<std::uint16_t>;

// Section 6: the name, an attribute, and at the end the date, the first cluster and the size.
std::vector<std::uint8_t> root_directory(const std::vector<FatFile>& files,
                                         const std::vector<Chain>& chains,
                                         const FatLayout& layout) {
  constexpr std::uint8_t kArchive = 0x20;
  constexpr std::uint16_t kFirstOf1980 = 0x0021;
  std::vector<std::uint8_t> root(std::size_t{layout.root_entries} * FatLayout::kRootEntrySize);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto entry = std::span{root}.subspan(i * FatLayout::kRootEntrySize);
    std::ranges::copy(directory_name(files[i].name), entry.begin());
    entry[11] = kArchive;
    put(entry, 24, kFirstOf1980);
    put(entry, 26, chains[i].empty() ? std::uint16_t{0} : chains[i].front());
    put(entry, 28, static_cast<std::uint32_t>(image_of(files[i]).bytes().size()));
  }
  return root;
}

// A part for each run of clusters that follow one another.
void add_file(const FatFile& file, const Chain& chain, const FatLayout& layout,
              std::vector<DiskPart>& parts) {
  const FlatImage image = image_of(file);
  for (std::size_t begin = 0, end = 0; begin < chain.size(); begin = end) {
    end = begin + 1;
    while (end < chain.size() && chain[end] == chain[end - 1] + 1) ++end;
    FlatImage run = image;
    run.keep_first(end * layout.cluster_size());
    parts.push_back({.lba = layout.first_of_cluster(chain[begin]),
                     .image = run,
                     .offset = begin * layout.cluster_size()});
  }
}

void check_names(const std::vector<FatFile>& files) {
  std::set<std::string> names;
  for (const FatFile& file : files) {
    (void)directory_name(file.name);
    if (names.insert(file.name).second) continue;
    throw SetupError(fmt::format(
        "{} is there twice on a FAT volume: give one of the files another name", file.name));
  }
}

}  // namespace
}  // namespace internal

std::vector<DiskPart> fat_parts(const FatVolume& volume) {
  internal::check_names(volume.files);
  std::vector<FatFile> files = volume.files;
  for (FatFile& file : files) file.content = internal::image_of(file);  // copied once
  const internal::FatLayout layout = internal::layout_of(volume);
  const auto chains = internal::allocate(files, layout);
  const FlatImage fat{"FAT", internal::fat_of(chains, layout)};
  const FlatImage root{"root directory", internal::root_directory(files, chains, layout)};
  std::vector<DiskPart> parts{
      sector(internal::fat_boot_sector(volume, layout)),
      at(internal::FatLayout::kReserved, fat),
      at(internal::FatLayout::kReserved + layout.sectors_per_fat, fat),
      at(layout.first_of_root(), root),
  };
  for (std::size_t i = 0; i < chains.size(); ++i) {
    internal::add_file(files[i], chains[i], layout, parts);
  }
  return parts;
}

Disk fat_disk(const FatVolume& volume) {
  Disk disk{volume.sectors, fat_parts(volume)};
  if (volume.geometry) disk.set_geometry(*volume.geometry);
  return disk;
}

}  // namespace hltest
