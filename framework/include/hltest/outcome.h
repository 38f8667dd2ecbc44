#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hltest/access.h>
#include <hltest/disk.h>
#include <hltest/image.h>
#include <hltest/screen.h>
#include <hltest/stop_reason.h>
#include <hltest/tables.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

namespace internal {
struct RunRecord;
}

/// A place in a guest's source: `boot.asm:42 (load_kernel+0x5)`.
struct SourcePlace {
  SourceLine line;
  std::string label;  ///< the last one before it; empty where there is none
};
std::string to_string(const SourcePlace& place);

/// What came of a run: a value that depends on nothing of the machine that made it. Copies share
/// what it holds; each can be used in a thread of its own.
struct Outcome {
  /// The image's name.
  std::string guest{};
  std::optional<FlatImage> image = std::nullopt;
  StopReason stop{};
  /// At the end; for an exception as they were when it was raised.
  Registers registers{};
  /// When the guest was entered.
  Registers start{};
  /// What it accessed, in its order; then the same by kind.
  AccessLog accesses{};
  PortView ports{};
  AccessView mmio{accesses, Space::kMmio};
  AccessView msrs{accesses, Space::kMsr};
  /// The mode at the end; nothing when the registers are lost.
  std::optional<CpuMode> mode = std::nullopt;
  /// The disks of a guest that booted, as it left them.
  std::map<Drive, Disk> disks{};
  /// What a replay begins with.
  std::shared_ptr<const internal::RunRecord> record{};

  [[nodiscard]] bool halted() const { return std::holds_alternative<Halt>(stop); }
  /// After a triple fault on a host whose KVM resets the vCPU: the registers say nothing.
  [[nodiscard]] bool registers_are_lost() const;
  /// The mode that the guest started in.
  [[nodiscard]] CpuMode start_mode() const { return cpu_mode(start); }
  /// The exception that ended it; nullptr for any other end.
  [[nodiscard]] const Exception* exception() const { return std::get_if<Exception>(&stop); }

  /// Where it stopped: the linear address of the HLT, of the faulting instruction, or of RIP.
  [[nodiscard]] Gva stop_address() const;
  /// Where that is in the image; nothing outside, and where it is not mapped.
  [[nodiscard]] std::optional<std::uint64_t> stop_offset() const;
  /// True when what it stopped at is not in the image: it ran past the image's end, or jumped away.
  [[nodiscard]] bool stopped_outside_image() const;
  /// The same in the guest's source; nothing where that is not known.
  [[nodiscard]] std::optional<SourcePlace> source() const;
  /// The source of any address in physical memory: in the image, or in a guest that was read there
  /// from a disk. Nothing elsewhere.
  [[nodiscard]] std::optional<SourcePlace> source_at(Gpa gpa) const;

  /// What the guest wrote as text, in its order: by the BIOS's teletype and strings, and on the
  /// serial ports.
  [[nodiscard]] std::string console() const;
  /// What the VGA shows as text at the end: of a guest that did not boot, 25 rows of 80 characters
  /// at 0xB8000. Without rows where the guest has no memory there.
  [[nodiscard]] Screen screen() const;
  /// The pixels that the VGA shows at the end. Of the modes with planes (0Dh to 12h) only those
  /// that INT 10h, AH = 0Ch wrote: a guest's own writes to 0xA0000 are RAM. Throws `SetupError` for
  /// a guest that did not boot, or ended in a text mode.
  [[nodiscard]] Picture picture() const;
  /// The calls that services answered, in order.
  [[nodiscard]] const std::vector<ServiceCall>& bios_calls() const { return accesses.calls(); }
  /// The sectors that INT 13h read and wrote, in order.
  [[nodiscard]] std::vector<DiskTransfer> disk_transfers() const;

  /// The tables that the guest's registers pointed to at the end, in the memory as it was then.
  /// Throws `SetupError` where the registers are lost, or the outcome is of no run.
  [[nodiscard]] GuestTables tables() const;
};

/// The linear address of the instruction that stopped a guest, which left these registers.
Gva stop_address(const StopReason& stop, const Registers& registers);

/// One line: `add_digits halted at 0x100b (real16)`.
std::string summary(const Outcome& outcome);
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

}  // namespace hltest
