#pragma once

#include <string>

#include <hltest/disk.h>

namespace hltest::cli {

/// The disk in an image file. Throws `UsageError` where it is missing, empty or can't be read.
Disk disk_of(const std::string& path);

/// Throws `UsageError` where `write_back` may not write.
void check_can_be_written(const std::string& path);
/// Writes the sectors that a guest has written to their place in the file. Throws `UsageError`.
void write_back(const Disk& disk, const std::string& path);

}  // namespace hltest::cli
