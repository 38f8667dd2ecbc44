#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hltest/disk.h>
#include <hltest/x86/address.h>

namespace hltest {

/// A range of the memory map that INT 15h, AX = E820h tells (ACPI 6.4, 15.1).
struct MemoryRange {
  enum class Type : std::uint32_t { kUsable = 1, kReserved = 2, kAcpi = 3, kNvs = 4, kBad = 5 };

  Gpa base{};
  std::uint64_t size = 0;
  Type type = Type::kUsable;
  friend bool operator==(const MemoryRange&, const MemoryRange&) = default;
};

/// Accesses of a disk that fail.
struct DiskFailure {
  std::uint8_t status = 0x20;  ///< as INT 13h returns it in AH: 0x20 is "controller failure"
  unsigned after = 0;          ///< so many calls that read or write succeed before
  unsigned times = 1;          ///< and so many fail
  std::optional<Drive> drive = std::nullopt;  ///< of one drive; of all, if none is given
};

/// What the BIOS of a guest that boots from a disk is like. A value, to be changed before `boot`,
/// by one thread at a time.
struct Bios {
  /// What INT 16h reads, in order, as if typed on a US keyboard: `\n` is Enter, `\b` Backspace,
  /// `\x1b` Escape. After the last key, a guest that waits for one ends its run.
  std::string keys{};
  /// What arrives on COM1.
  std::string serial_input{};
  /// What INT 12h and the BIOS data area say: KiB below the EBDA.
  unsigned conventional_kib = 639;
  /// INT 13h, AH = 41h to 48h, for hard disks.
  bool has_disk_extensions = true;
  /// INT 15h, AX = 2400h to 2403h.
  bool has_a20_service = true;
  /// What INT 15h, AX = E820h tells; the guest's RAM unless it is given. Empty: the BIOS lacks the
  /// function. AX = E801h and AH = 88h tell the same of the RAM from 1 MiB on.
  std::optional<std::vector<MemoryRange>> memory_map = std::nullopt;
  std::vector<DiskFailure> disk_failures{};
};

}  // namespace hltest
