#pragma once

#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qemu.h"

namespace hltest::oracle {

/// Memory that a guest owns, and that both machines must leave alike.
struct OwnedMemory {
  Gpa from{};
  std::uint64_t size = 0;
};

/// Memory that is not compared, and why.
struct ExcludedMemory {
  Gpa from{};
  std::uint64_t size = 0;
  std::string why{};
};

/// A guest that boots in hltest and in QEMU with SeaBIOS.
struct BootCase {
  std::map<Drive, Disk> disks{};
  Drive boot = kFirstHardDisk;
  /// What is typed, and where the guest is by then: before, SeaBIOS would take the keys.
  std::string keys{};
  Gva ready{0x7C00};
  std::vector<OwnedMemory> memory{};
  std::vector<ExcludedMemory> excluded_memory{};
  /// Registers that need not be alike at the end, by name, each with the reason.
  std::map<std::string, std::string> excluded{};
};

/// Skips its tests where QEMU is not installed.
class OracleTest : public BootSectorTest {
 protected:
  void SetUp() override;

  /// Boots the case in both, and expects them alike: the registers at the start and, if it halts,
  /// at the end; the screen; what was sent on COM1; the case's memory; the disks. Before the guest
  /// starts in QEMU, SeaBIOS's own text is cleared from the screen.
  void compare(const BootCase& boot_case);

  Outcome outcome_{};             ///< of the last case
  std::unique_ptr<Qemu> qemu_{};  ///< the same, stopped where it ended

 private:
  void boot_in_qemu(const BootCase& boot_case);
  void compare_registers(const BootCase& boot_case);
  void compare_display();
  void compare_memory(const OwnedMemory& range, const std::vector<ExcludedMemory>& excluded = {});
  void compare_disks(const BootCase& boot_case);
};

/// An image at the beginning of a hard disk: 19 cylinders of 16 heads and 63 sectors.
Disk hard_disk(const FlatImage& image);
/// The same on a floppy disk of 1.44 MB.
Disk floppy(const FlatImage& image);

}  // namespace hltest::oracle
