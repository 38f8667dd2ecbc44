#include "cli/disk_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include <hltest/error.h>

#include "cli/usage_error.h"

namespace hltest::cli {

Disk disk_of(const std::string& path) {
  try {
    return Disk::of_file(path);
  } catch (const SetupError& error) {
    throw UsageError(error.what());
  }
}

void check_can_be_written(const std::string& path) {
  if (access(path.c_str(), W_OK) == 0) return;
  throw UsageError(fmt::format("--write: can't write to {}: {}", path, std::strerror(errno)));
}

void write_back(const Disk& disk, const std::string& path) {
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  for (const std::uint64_t lba : disk.written_sectors()) {
    const Disk::Sector sector = disk.read(lba);
    file.seekp(static_cast<std::streamoff>(lba * Disk::kSectorSize));
    file.write(reinterpret_cast<const char*>(sector.data()), sector.size());
  }
  file.flush();
  if (!file) {
    throw UsageError(fmt::format("--write: can't write to {}: {}", path, std::strerror(errno)));
  }
}

}  // namespace hltest::cli
