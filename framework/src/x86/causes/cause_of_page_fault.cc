#include "x86/causes/causes.h"
#include "x86/code/disassembly.h"
#include "x86/registers/error_code.h"

#include <fmt/format.h>

namespace hltest {
namespace {

constexpr std::uint64_t kNoExecuteBit = 1ULL << 63U;

std::string entry_of(const WalkStep& step) {
  return fmt::format("its {} at {} ({:#x})", entry_name(step.level), to_string(step.entry_address),
                     step.entry);
}

// The first entry that lacks a bit which all levels need, or has one that any may have.
const WalkStep* step_without(const PageWalk& walk, PageFlags flag) {
  for (const WalkStep& step : walk.steps) {
    const bool is_pae_pointer = walk.mode == PagingMode::kPae && step.level == 2;
    if (!is_pae_pointer && (step.entry & static_cast<std::uint64_t>(flag)) == 0) return &step;
  }
  return nullptr;
}
const WalkStep* no_execute_step(const PageWalk& walk) {
  for (const WalkStep& step : walk.steps) {
    if ((step.entry & kNoExecuteBit) != 0) return &step;
  }
  return nullptr;
}

// Of the bits that are reserved, those that people set.
std::string reserved_bit(const Fault& fault, const WalkStep& step) {
  const bool has_xd = (step.entry & kNoExecuteBit) != 0;
  if (has_xd && (fault.registers.efer.value & Efer::kNxe) == 0) {
    return " has a reserved bit set: bit 63 (XD), while EFER.NXE is 0";
  }
  return " has a reserved bit set";
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
      return "it is no address of " + to_string(walk.mode);
    case WalkEnd::kOutsideMemory:
      if (walk.steps.empty()) {
        return fmt::format("CR3 points at {:#x}, where there is no memory", cr3.value);
      }
      return entry_of(walk.steps.back()) + " points to a table where there is no memory";
    case WalkEnd::kReservedBit:
      return entry_of(walk.steps.back()) + reserved_bit(fault, walk.steps.back());
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
  return entry_of(walk.steps.back()) + " is not present" +
         (is_misaligned ? fmt::format(" (CR3 is {:#x}: its low 12 bits are no address)", cr3.value)
                        : "");
}

// Without NX and SMEP the error code does not tell a fetch from a read (SDM vol. 3, 4.7).
bool is_fetch(const Fault& fault, PageFaultErrorCode code) {
  if (code.fetch()) return true;
  const Gva rip = fault.registers.code_address();
  return !code.write() && fault.address >= rip && fault.address - rip < kLongestInstruction &&
         fault.read(rip, kLongestInstruction).size() <= fault.address - rip;
}

std::string why_not_allowed(const Fault& fault, const PageWalk& walk, PageFaultErrorCode code) {
  const Registers& registers = fault.registers;
  if (code.fetch()) {
    if (const WalkStep* const step = no_execute_step(walk)) {
      return entry_of(*step) + " has the no-execute bit (XD) set";
    }
    if (code.user()) {
      if (const WalkStep* const step = step_without(walk, kUser)) {
        return entry_of(*step) + " is the supervisor's (U/S = 0)";
      }
    } else if (registers.cr4.smep()) {
      return "it is a user page, and CR4.SMEP keeps the supervisor from executing those";
    }
    return {};
  }
  if (code.user()) {
    if (const WalkStep* const step = step_without(walk, kUser)) {
      return entry_of(*step) + " is the supervisor's (U/S = 0)";
    }
  }
  if (code.write()) {
    if (const WalkStep* const step = step_without(walk, kReadWrite)) {
      return entry_of(*step) + " is read-only (R/W = 0)";
    }
  }
  if (!code.user() && registers.cr4.smap() && !registers.rflags.ac()) {
    return "it is a user page, and CR4.SMAP keeps the supervisor from accessing those while "
           "RFLAGS.AC is 0";
  }
  return {};
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
  const std::string why =
      walk.translated() ? why_not_allowed(fault, walk, code) : why_not_translated(fault, walk);
  if (why.empty()) {
    return what +
           ": the page tables allow it now; they did not when the processor looked (a stale "
           "TLB entry needs INVLPG or a write to CR3)";
  }
  return what + ": " + why;
}

}  // namespace hltest
