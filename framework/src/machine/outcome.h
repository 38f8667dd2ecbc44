#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/image.h>
#include <hltest/memory_layout.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>
#include "machine/history.h"
#include "machine/mmio_bus.h"
#include "machine/msr_bus.h"
#include "machine/port_log.h"
#include "machine/recording.h"
#include "machine/stop_reason.h"
#include "machine/vm_exit.h"

namespace hltest {

/// Guest code as it was at the end, for the disassembly in a report.
struct CodeWindow {
  Gva start{};
  std::vector<std::uint8_t> bytes{};
  /// True when an instruction is known to begin at `start`.
  bool starts_at_instruction = false;
};

/// A place in a guest's source: `boot.asm:42 (load_kernel+0x5)`.
struct SourcePlace {
  SourceLine line;
  std::string label;  ///< the last one before it; empty where there is none
};
std::string to_string(const SourcePlace& place);

/// What came of a run: a value that depends on nothing of the machine that made it.
struct Outcome {
  /// Exits past this many are no longer kept in `exits`.
  static constexpr std::size_t kMostExits = 1U << 20U;

  /// The image's name, and where it was loaded.
  std::string guest{};
  Gpa image_start{};
  std::uint64_t image_size = 0;
  std::optional<FlatImage> image = std::nullopt;
  StopReason stop{};
  /// At the end; for an exception as they were when it was raised.
  Registers registers{};
  PortLog ports{};
  /// Accesses to addresses without memory, the first `PortLog::kMostKept` of them, in order.
  std::vector<MmioAccess> mmio{};
  /// RDMSR and WRMSR that KVM left to the test, the first `PortLog::kMostKept` of them, in order.
  std::vector<MsrAccess> msrs{};
  /// The exits of the run in order, the last one included; the first `kMostExits` of them.
  std::vector<VmExit> exits{};
  std::string start_mode{};  ///< as `mode_name` says it
  std::string end_mode{};    ///< likewise; empty when the registers are lost
  CodeWindow code{};
  /// True when what it stopped at is not in the image: it ran past the image's end, or jumped away.
  bool stopped_outside_image = false;
  /// Where in the image it stopped.
  std::optional<std::uint64_t> stop_offset = std::nullopt;
  /// What else is odd about where it stopped, in one sentence: code that was assembled for another
  /// size than the processor takes it for; else empty.
  std::string remark{};
  /// What a replay showed of the end; nothing before one.
  std::optional<History> history = std::nullopt;
  /// What a replay begins with: the machine has it, until it is gone or runs again.
  std::weak_ptr<const Recording> recording{};

  [[nodiscard]] bool halted() const { return std::holds_alternative<Halt>(stop); }
  /// After a triple fault on a host whose KVM resets the vCPU, before a replay: the registers say
  /// nothing.
  [[nodiscard]] bool registers_are_lost() const;
  /// Where it stopped: the linear address of the HLT, of the faulting instruction, or of RIP.
  [[nodiscard]] Gva stop_address() const;
  /// The same in the guest's source; nothing where that is not known. Reads NASM's listing.
  [[nodiscard]] std::optional<SourcePlace> source() const;
  /// Where in the image a physical address is; nothing outside.
  [[nodiscard]] std::optional<std::uint64_t> image_offset(Gpa gpa) const;
  /// The source of any address in physical memory; nothing outside the image.
  [[nodiscard]] std::optional<SourcePlace> source_at(Gpa gpa) const;
  /// The exception that ended it, or that a triple fault began with; nullptr where there was none.
  [[nodiscard]] const Exception* fault() const;
};

/// One line: `add_digits halted at 0x100b (real16)`.
std::string summary(const Outcome& outcome);
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

}  // namespace hltest
