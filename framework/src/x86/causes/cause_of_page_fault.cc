#include "x86/causes/causes.h"
#include "x86/code/disassembly.h"
#include "x86/paging/page_entry.h"
#include "x86/registers/error_code.h"

#include <fmt/format.h>

namespace hltest::internal {
namespace {

std::string name_of(const WalkStep& step) {
  return fmt::format("its {} at {} ({:#x})", entry_name(step.level), to_string(step.entry_address),
                     step.entry);
}

std::string reserved_bits(const PageWalk& walk) {
  std::string what = name_of(walk.steps.back()) + " has a reserved bit set";
  if (walk.reserved == 0) return what;
  return what + ": " + describe_reserved_bits(entry_of(walk, walk.steps.back()), walk.reserved);
}

// The entry that withholds a right, in words; empty if none does.
std::string denied(const PageWalk& walk, PageRight right) {
  const WalkStep* const step = step_that_denies(walk, right);
  if (step == nullptr) return {};
  const char* const what = right == PageRight::kWrite        ? "is read-only"
                           : right == PageRight::kUserAccess ? "is supervisor-only"
                                                             : "forbids execution";
  return fmt::format("{} {} ({})", name_of(*step), what, denial(right));
}

// A first table that holds nothing at all was never filled in, or CR3 is wrong.
bool holds_zeros(const Fault& fault, Gpa table) {
  const std::vector<std::uint8_t> bytes = fault.read_physical(table, 4096);
  return bytes.size() == 4096 && bytes == std::vector<std::uint8_t>(bytes.size(), std::uint8_t{0});
}

std::string why_not_translated(const Fault& fault, const PageWalk& walk) {
  const Cr3 cr3 = fault.registers.cr3;
  switch (walk.end) {
    case WalkEnd::kNotAnAddress:
      return "it is not an address of " + to_string(walk.mode);
    case WalkEnd::kOutsideMemory:
      if (walk.steps.empty()) {
        return fmt::format("CR3 points at {:#x}, where there is no memory", cr3.value);
      }
      return name_of(walk.steps.back()) + " points to a table where there is no memory";
    case WalkEnd::kReservedBit:
      return reserved_bits(walk);
    default:
      break;
  }
  if (walk.steps.size() == 1 && holds_zeros(fault, cr3.table())) {
    return fmt::format("CR3 points at {:#x}, which holds zeros", cr3.value);
  }
  // The bits below a table's address are flags, most of them without a meaning.
  constexpr std::uint64_t kCr3Flags = 0xFE7;
  const bool is_misaligned = walk.steps.size() == 1 && (cr3.value & kCr3Flags) != 0 &&
                             walk.mode != PagingMode::kPae &&
                             (fault.registers.cr4.value & Cr4::kPcide) == 0;
  return name_of(walk.steps.back()) + " is not present" +
         (is_misaligned
              ? fmt::format(" (CR3 is {:#x}: its low 12 bits are not part of the address)",
                            cr3.value)
              : "");
}

// Without NX and SMEP the error code of a fetch is that of a read (SDM vol. 3, 4.7).
bool is_fetch(const Fault& fault, PageFaultErrorCode code) {
  if (code.fetch()) return true;
  const Gva rip = fault.registers.code_address();
  return !code.write() && fault.address >= rip && fault.address - rip < kLongestInstruction &&
         fault.read(rip, kLongestInstruction).size() <= fault.address - rip;
}

std::string why_not_allowed(const Fault& fault, const PageWalk& walk, PageFaultErrorCode code) {
  const Registers& registers = fault.registers;
  if (code.fetch()) {
    if (std::string why = denied(walk, PageRight::kExecute); !why.empty()) return why;
  }
  if (code.user()) {
    if (std::string why = denied(walk, PageRight::kUserAccess); !why.empty()) return why;
  } else if (step_that_denies(walk, PageRight::kUserAccess) == nullptr) {
    if (code.fetch() && registers.cr4.smep()) {
      return "CR4.SMEP forbids the supervisor to execute a user page";
    }
    if (!code.fetch() && registers.cr4.smap() && !registers.rflags.ac()) {
      return "CR4.SMAP forbids the supervisor to access a user page while RFLAGS.AC is 0";
    }
  }
  // Without CR0.WP the supervisor writes to any page.
  const bool needs_rw = code.write() && (code.user() || registers.cr0.wp());
  return needs_rw ? denied(walk, PageRight::kWrite) : "";
}

}  // namespace

std::string cause_of_page_fault(const Fault& fault) {
  const PageFaultErrorCode code{fault.error_code.value_or(0)};
  const PageWalk walk = fault.walk(fault.address);
  const std::string what = fmt::format("the {} {} at CPL {}",
                                       is_fetch(fault, code) ? "fetch from"
                                       : code.write()        ? "write to"
                                                             : "read of",
                                       to_string(fault.address), code.user() ? 3 : 0);
  std::string why =
      walk.translated() ? why_not_allowed(fault, walk, code) : why_not_translated(fault, walk);
  if (walk.translated() && code.reserved()) {
    why = "one of its entries has a bit set that this processor reserves";
  }
  if (why.empty()) {
    return what +
           ": the page tables allow it now; they did not when the processor looked (a stale "
           "TLB entry needs INVLPG or a write to CR3)";
  }
  return what + ": " + why;
}

}  // namespace hltest::internal
