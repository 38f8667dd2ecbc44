// The clusters of files, and the FAT that links them.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include <hltest/error.h>

#include "devices/fat_layout.h"
#include "devices/sector_bytes.h"
#include "x86/counted.h"

namespace hltest::internal {
namespace {

using Chains = std::vector<std::vector<std::uint16_t>>;

std::uint64_t clusters_for(const FatFile& file, const FatLayout& layout) {
  const std::uint64_t size = image_of(file).bytes().size();
  return (size + layout.cluster_size() - 1) / layout.cluster_size();
}

void check_fit(const std::vector<FatFile>& files, const FatLayout& layout) {
  std::uint64_t needed = 0;
  for (const FatFile& file : files) needed += clusters_for(file, layout);
  if (needed > layout.clusters) {
    throw SetupError(fmt::format(
        "the files need {} of {} bytes, and a FAT volume of {} sectors has {}: make it "
        "larger",
        counted(needed, "cluster"), layout.cluster_size(), layout.sectors, layout.clusters));
  }
  if (files.size() > layout.root_entries) {
    throw SetupError(
        fmt::format("{}: the root directory of a FAT volume of {} sectors has {} entries, so "
                    "leave some out",
                    counted(files.size(), "file"), layout.sectors, layout.root_entries));
  }
}

// Marks the clusters that a file gives itself.
void take_own(const FatFile& file, const FatLayout& layout, std::vector<bool>& is_used) {
  const std::uint64_t needed = clusters_for(file, layout);
  if (file.clusters.size() != needed) {
    throw SetupError(fmt::format(
        "{} needs {} of {} bytes, and FatFile::clusters has {}: give it as many", file.name,
        counted(needed, "cluster"), layout.cluster_size(), file.clusters.size()));
  }
  for (const std::uint16_t cluster : file.clusters) {
    if (cluster < FatLayout::kFirstCluster || cluster >= is_used.size()) {
      throw SetupError(fmt::format("{} in cluster {}: this volume has clusters {} to {}", file.name,
                                   cluster, FatLayout::kFirstCluster, is_used.size() - 1));
    }
    if (is_used[cluster]) {
      throw SetupError(fmt::format("{} in cluster {}, which is in use already: give it another",
                                   file.name, cluster));
    }
    is_used[cluster] = true;
  }
}

}  // namespace

Chains allocate(const std::vector<FatFile>& files, const FatLayout& layout) {
  check_fit(files, layout);
  std::vector<bool> is_used(layout.clusters + FatLayout::kFirstCluster);
  for (const FatFile& file : files) {
    if (!file.clusters.empty()) take_own(file, layout, is_used);
  }
  Chains chains;
  std::uint16_t next = FatLayout::kFirstCluster;
  for (const FatFile& file : files) {
    std::vector<std::uint16_t> chain = file.clusters;
    for (std::uint64_t needed = clusters_for(file, layout); chain.size() < needed; ++next) {
      if (!is_used[next]) chain.push_back(next);
    }
    chains.push_back(std::move(chain));
  }
  return chains;
}

std::vector<std::uint8_t> fat_of(const Chains& chains, const FatLayout& layout) {
  constexpr std::uint16_t kEndOfChain = 0xFFFF;
  std::vector<std::uint16_t> entries(layout.clusters + FatLayout::kFirstCluster);
  entries[0] = static_cast<std::uint16_t>(0xFF00U | layout.media);
  entries[1] = kEndOfChain;
  for (const auto& chain : chains) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      entries[chain[i]] = i + 1 < chain.size() ? chain[i + 1] : kEndOfChain;
    }
  }
  std::vector<std::uint8_t> fat(layout.sectors_per_fat * Disk::kSectorSize);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!layout.is_fat12()) {
      put(fat, 2 * i, entries[i]);
      continue;
    }
    // 12 bits: two entries in three bytes, the first in the lower ones.
    const unsigned bits = (entries[i] & 0xFFFU) << (i % 2 == 0 ? 0U : 4U);
    fat[i * 3 / 2] |= static_cast<std::uint8_t>(bits);
    fat[i * 3 / 2 + 1] |= static_cast<std::uint8_t>(bits >> 8U);
  }
  return fat;
}

}  // namespace hltest::internal
