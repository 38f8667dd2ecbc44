// Disks with a GUID partition table (UEFI 2.10, 5.2.3 and 5.3).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <hltest/disk_layout.h>
#include <hltest/error.h>

#include "devices/chs.h"
#include "devices/first_sector.h"
#include "devices/guid.h"
#include "devices/partition_ranges.h"
#include "devices/sector_bytes.h"

namespace hltest {
namespace {

using internal::Guid;
using internal::PartitionRange;
using internal::put;

constexpr std::size_t kEntries = 128;
constexpr std::size_t kEntrySize = 128;
constexpr std::uint64_t kArraySectors = kEntries * kEntrySize / Disk::kSectorSize;
constexpr std::uint64_t kFirstUsable = 2 + kArraySectors;
constexpr std::uint64_t kLeastSectors = kFirstUsable + 1 + kArraySectors + 1;
constexpr std::size_t kNameUnits = 36;

// CRC-32 of ISO 3309, as zlib has it.
std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kPolynomial = 0xEDB8'8320;
  std::uint32_t crc = 0xFFFF'FFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (unsigned bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? kPolynomial : 0);
  }
  return ~crc;
}

// The GUID of partition `number`, or the disk's, which is number 0: of version 8 (RFC 9562), which
// is for any content.
Guid own_guid(std::size_t number) {
  Guid guid{'h', 'l', 't', 'e', 's', 't', 0, 0x80, 0x80};
  guid.back() = static_cast<std::uint8_t>(number);
  return guid;
}

Guid type_of(const GptPartition& partition, std::size_t number) {
  const auto type = internal::parse_guid(partition.type);
  if (!type) {
    throw SetupError(
        fmt::format("partition {} has the type \"{}\", which is no GUID: write it as {}, in groups "
                    "of 8, 4, 4, 4 "
                    "and 12 hexadecimal digits",
                    number, partition.type, kEfiSystemPartition));
  }
  if (*type == Guid{}) {
    throw SetupError(fmt::format(
        "partition {} has a type of zeros, which is that of an unused entry: give it another",
        number));
  }
  return *type;
}

void put_entry(std::span<std::uint8_t> entry, const GptPartition& partition, std::size_t number) {
  if (partition.name.size() > kNameUnits) {
    throw SetupError(
        fmt::format("the name of partition {} has {} UTF-16 units: shorten it to {} at most",
                    number, partition.name.size(), kNameUnits));
  }
  constexpr std::uint64_t kLegacyBiosBootable = 1ULL << 2U;
  std::ranges::copy(type_of(partition, number), entry.begin());
  std::ranges::copy(own_guid(number), &entry[16]);
  put(entry, 32, partition.first);
  put(entry, 40, partition.first + partition.sectors - 1);
  put(entry, 48, partition.is_legacy_bootable ? kLegacyBiosBootable : 0);
  for (std::size_t i = 0; i < partition.name.size(); ++i) {
    put(entry, 56 + 2 * i, static_cast<std::uint16_t>(partition.name[i]));
  }
}

std::vector<std::uint8_t> entry_array(const std::vector<GptPartition>& partitions) {
  std::vector<std::uint8_t> array(kEntries * kEntrySize);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    put_entry(std::span{array}.subspan(i * kEntrySize, kEntrySize), partitions[i], i + 1);
  }
  return array;
}

// The sectors of a header, of the other header, and of the header's array.
struct HeaderPlace {
  std::uint64_t own;
  std::uint64_t other;
  std::uint64_t array;
};

FlatImage header(const HeaderPlace& place, std::uint64_t sectors, std::uint32_t array_crc) {
  constexpr std::string_view kSignature = "EFI PART";
  constexpr std::uint32_t kRevision = 0x0001'0000;
  constexpr std::size_t kSize = 92;
  std::vector<std::uint8_t> bytes(kSize);
  std::ranges::copy(kSignature, bytes.begin());
  put(bytes, 8, kRevision);
  put(bytes, 12, std::uint32_t{kSize});
  put(bytes, 24, place.own);
  put(bytes, 32, place.other);
  put(bytes, 40, kFirstUsable);
  put(bytes, 48, sectors - kArraySectors - 2);
  std::ranges::copy(own_guid(0), &bytes[56]);
  put(bytes, 72, place.array);
  put(bytes, 80, std::uint32_t{kEntries});
  put(bytes, 84, std::uint32_t{kEntrySize});
  put(bytes, 88, array_crc);
  put(bytes, 16, crc32(bytes));  // over zeros in its own place
  return {"GPT header", std::move(bytes)};
}

// One partition of type EEh over the whole disk, and no disk signature before it.
FlatImage protective_mbr(const FlatImage& boot_code, std::uint64_t sectors) {
  constexpr std::size_t kSignature = 440;
  constexpr std::size_t kEntry = 446 - kSignature;
  constexpr std::uint64_t kMost = 0xFFFF'FFFF;
  std::array<std::uint8_t, 510 - kSignature> bytes{};
  constexpr std::array<std::uint8_t, 5> kBegin = {0, 0, 2, 0, 0xEE};
  constexpr std::array<std::uint8_t, 3> kBeyondChs = {0xFF, 0xFF, 0xFF};
  const auto end = internal::chs_of(sectors - 1, Disk{sectors}.geometry());
  std::ranges::copy(kBegin, &bytes.at(kEntry));
  std::ranges::copy(end.value_or(kBeyondChs), &bytes.at(kEntry + kBegin.size()));
  put(bytes, kEntry + 8, std::uint32_t{1});
  put(bytes, kEntry + 12, static_cast<std::uint32_t>(std::min(sectors - 1, kMost)));
  internal::require_zeros(boot_code, kSignature, kSignature + bytes.size(), "the protective MBR's");
  return internal::first_sector(boot_code, kSignature, bytes);
}

std::vector<PartitionRange> checked_ranges(std::uint64_t sectors,
                                           const std::vector<GptPartition>& partitions) {
  if (sectors < kLeastSectors) {
    throw SetupError(
        fmt::format("a GPT disk of {} sectors: give it {} at least", sectors, kLeastSectors));
  }
  if (partitions.size() > kEntries) {
    throw SetupError(fmt::format("{} partitions: gpt_disk makes a table of {}, so leave some out",
                                 partitions.size(), kEntries));
  }
  std::vector<PartitionRange> ranges;
  ranges.reserve(partitions.size());
  for (const GptPartition& each : partitions) {
    ranges.push_back({each.first, each.sectors, each.content});
  }
  internal::check_ranges(ranges, kFirstUsable, sectors - kArraySectors - 2);
  return ranges;
}

}  // namespace

Disk gpt_disk(std::uint64_t sectors, const std::vector<GptPartition>& partitions,
              const std::optional<FlatImage>& boot_code) {
  const std::vector<PartitionRange> ranges = checked_ranges(sectors, partitions);
  const FlatImage code =
      boot_code.value_or(FlatImage{"protective MBR", std::vector<std::uint8_t>{}});
  const FlatImage array{"GPT partition entries", entry_array(partitions)};
  const std::uint32_t crc = crc32(array.bytes());
  const std::uint64_t last = sectors - 1;
  const std::uint64_t last_array = last - kArraySectors;
  std::vector<DiskPart> parts{
      sector(protective_mbr(code, sectors)),
      at(1, header({.own = 1, .other = last, .array = 2}, sectors, crc)),
      at(2, array),
      at(last_array, array),
      at(last, header({.own = last, .other = 1, .array = last_array}, sectors, crc)),
  };
  internal::add_content(ranges, parts);
  return {sectors, std::move(parts)};
}

}  // namespace hltest
