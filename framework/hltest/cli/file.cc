#include <hltest/cli/file.h>
#include <hltest/cli/usage_error.h>
#include <hltest/x86/address.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace hltest::cli {
namespace {

// No image for a PC that runs it from RAM is larger, and a mistaken name should not fill the
// host's.
constexpr std::uintmax_t kLargest = 4 * kGiB;

}  // namespace

void check_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw UsageError(
        fmt::format("can't read {}: {}", path, error ? error.message() : std::strerror(ENOENT)));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw UsageError(fmt::format("can't read {}: it is not a file", path));
  }
  errno = 0;
  if (!std::ifstream{path, std::ios::binary}) {
    throw UsageError(fmt::format("can't read {}: {}", path, std::strerror(errno)));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw UsageError(fmt::format("can't read {}: {}", path, error.message()));
  if (size == 0) throw UsageError(fmt::format("{} is empty: there is nothing to run", path));
  if (size > kLargest) {
    throw UsageError(fmt::format("{} is too large for an image: {} bytes", path, size));
  }
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream stream{path, std::ios::binary};
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream) throw UsageError(fmt::format("can't read {}", path));
  return bytes;
}

}  // namespace hltest::cli
