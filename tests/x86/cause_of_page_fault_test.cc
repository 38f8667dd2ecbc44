// Each rule behind a #PF: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;

constexpr std::uint64_t kXd = 1ULL << 63U;
// The error code's bits.
constexpr std::uint32_t kP = 1;
constexpr std::uint32_t kWrite = 2;
constexpr std::uint32_t kUserMode = 4;
constexpr std::uint32_t kReserved = 8;
constexpr std::uint32_t kFetch = 16;

struct Entries {
  std::uint64_t pml4e = 0x11007;
  std::uint64_t pdpte = 0x12007;
  std::uint64_t pde = 0x13007;
  std::uint64_t pte = 0x4007;
};

// 4-level paging with one page at 0, and what else a case needs.
CauseCase page(const char* name, std::uint32_t error_code, const Entries& entries,
               std::string cause, std::function<void(Guest&)> also = nullptr) {
  return {name,
          Vector::kPageFault,
          error_code,
          {0x90},
          [=](Guest& guest) {
            guest.enter_64_bit();
            guest.registers.cr0.value |= Cr0::kWp;
            guest.registers.efer.value |= Efer::kNxe;
            guest.registers.cr3.value = 0x10000;
            guest.put(0x10000, entries.pml4e, 8);
            guest.put(0x11000, entries.pdpte, 8);
            guest.put(0x12000, entries.pde, 8);
            guest.put(0x13000, entries.pte, 8);
            if (also) also(guest);
          },
          std::move(cause),
          Gva{0x10}};
}

class PageFaultRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(PageFaultRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };
constexpr const char* kStale =
    ": the page tables allow it now; they did not when the processor looked (a stale TLB entry "
    "needs INVLPG or a write to CR3)";
constexpr std::uint64_t kPs = 0x80;

INSTANTIATE_TEST_SUITE_P(
    Entries, PageFaultRules,
    ::testing::Values(
        page("Pml4eNotPresent", 0, {.pml4e = 6},
             "the read of 0x10 at CPL 0: its PML4E at 0x10000 (0x6) is not present"),
        page("PteNotPresent", kWrite, {.pte = 6},
             "the write to 0x10 at CPL 0: its PTE at 0x13000 (0x6) is not present"),
        page("Cr3OfZeros", 0, {.pml4e = 0}, ": CR3 points at 0x10000, which holds zeros"),
        page("Cr3WithLowBits", 0, {.pml4e = 2},
             "its PML4E at 0x10000 (0x2) is not present (CR3 is 0x10001: its low 12 bits are not "
             "part of the address)",
             [](Guest& guest) { guest.registers.cr3.value |= 1; }),
        page("Cr3WithCachingBits", 0, {.pml4e = 2}, "its PML4E at 0x10000 (0x2) is not present",
             [](Guest& guest) { guest.registers.cr3.value |= 0x18; }),
        page("Cr3WithAPcid", 0, {.pml4e = 2}, "its PML4E at 0x10000 (0x2) is not present",
             [](Guest& guest) {
               guest.registers.cr3.value |= 1;
               guest.registers.cr4.value |= Cr4::kPcide;
             }),
        page("Cr3OutsideMemory", 0, {}, ": CR3 points at 0x40000000, where there is no memory",
             [](Guest& guest) { guest.registers.cr3.value = 0x40000000; }),
        page("TableOutsideMemory", 0, {.pde = 0x40000007},
             ": its PDE at 0x12000 (0x40000007) points to a table where there is no memory"),
        page("XdWithoutNxe", kP | kReserved, {.pde = kXd | 0x13007},
             "its PDE at 0x12000 (0x8000000000013007) has a reserved bit set: bit 63 (XD), while "
             "EFER.NXE is 0",
             [](Guest& guest) { guest.registers.efer.value &= ~Efer::kNxe; }),
        page("NoGigabytePages", kP | kReserved, {.pdpte = kPs | 7},
             "its PDPTE at 0x11000 (0x87) has a reserved bit set: bit 7 (PS), and CPUID shows no "
             "1 GiB pages",
             [](Guest& guest) { guest.features.gigabyte_pages = false; }),
        page("PsInAPml4e", kP | kReserved, {.pml4e = 0x11087},
             "its PML4E at 0x10000 (0x11087) has a reserved bit set: bit 7 (PS), and a PML4E maps "
             "no page"),
        page("AddressBits", kP | kReserved, {.pte = 0x10000004007},
             "has a reserved bit set: 0x10000000000, of an address above MAXPHYADDR",
             [](Guest& guest) { guest.features.physical_bits = 40; }),
        page("ReservedForTheProcessorAlone", kP | kReserved, {},
             "the read of 0x10 at CPL 0: one of its entries has a bit set that this processor "
             "reserves"),
        page("Allowed", kP, {}, kStale)),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Rights, PageFaultRules,
    ::testing::Values(
        page("WriteToReadOnly", kP | kWrite, {.pde = 0x13005},
             "the write to 0x10 at CPL 0: its PDE at 0x12000 (0x13005) is read-only (R/W = 0)"),
        page("WriteWithoutWp", kP | kWrite, {.pde = 0x13005}, kStale,
             [](Guest& guest) { guest.registers.cr0.value &= ~Cr0::kWp; }),
        page("UserWriteWithoutWp", kP | kWrite | kUserMode, {.pde = 0x13005},
             "its PDE at 0x12000 (0x13005) is read-only (R/W = 0)",
             [](Guest& guest) { guest.registers.cr0.value &= ~Cr0::kWp; }),
        page("ReadOfReadOnly", kP, {.pde = 0x13005}, kStale),
        page("UserReadsSupervisor", kP | kUserMode, {.pdpte = 0x12003, .pte = 0x4003},
             "the read of 0x10 at CPL 3: its PDPTE at 0x11000 (0x12003) is supervisor-only "
             "(U/S = 0)"),
        page("SupervisorReadsSupervisor", kP, {.pte = 0x4003}, kStale),
        page("UserFetchesSupervisor", kP | kUserMode | kFetch, {.pte = 0x4003},
             "the fetch from 0x10 at CPL 3: its PTE at 0x13000 (0x4003) is supervisor-only "
             "(U/S = 0)"),
        page("FetchOfXd", kP | kFetch, {.pml4e = kXd | 0x11007},
             "the fetch from 0x10 at CPL 0: its PML4E at 0x10000 (0x8000000000011007) forbids "
             "execution (XD = 1)"),
        page("ReadOfXd", kP, {.pml4e = kXd | 0x11007}, kStale),
        page("Smep", kP | kFetch, {}, ": CR4.SMEP forbids the supervisor to execute a user page",
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmep; }),
        page("SmepOfASupervisorPage", kP | kFetch, {.pte = 0x4003}, kStale,
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmep; }),
        page("SmepOfARead", kP, {}, kStale,
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmep; }),
        page("Smap", kP, {},
             ": CR4.SMAP forbids the supervisor to access a user page while RFLAGS.AC is 0",
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmap; }),
        page("SmapWithAc", kP, {}, kStale,
             [](Guest& guest) {
               guest.registers.cr4.value |= Cr4::kSmap;
               guest.registers.rflags.value |= Rflags::kAc;
             }),
        page("SmapOfASupervisorPage", kP, {.pte = 0x4003}, kStale,
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmap; }),
        page("SmapOfAUser", kP | kUserMode, {}, kStale,
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmap; }),
        page("SmapOfAFetch", kP | kFetch, {}, kStale,
             [](Guest& guest) { guest.registers.cr4.value |= Cr4::kSmap; })),
    kName);

// Without NX and SMEP a fetch is told from a read by where it was.
CauseCase fetch(const char* name, std::uint64_t rip, std::uint64_t address, std::string cause) {
  return {name,
          Vector::kPageFault,
          0,
          {},
          [=](Guest& guest) {
            guest.enter_64_bit();
            guest.registers.cr3.value = 0x10000;
            guest.put(0x10000, 2, 8);
            guest.registers.rip = rip;
          },
          std::move(cause),
          Gva{address}};
}
constexpr std::uint64_t kEnd = 1U << 20U;  // of memory
constexpr const char* kNotPresent = " at CPL 0: its PML4E at 0x10000 (0x2) is not present";
INSTANTIATE_TEST_SUITE_P(
    Fetches, PageFaultRules,
    ::testing::Values(
        fetch("AtRip", kEnd, kEnd, std::string{"the fetch from 0x100000"} + kNotPresent),
        fetch("AcrossAPage", kEnd - 5, kEnd, std::string{"the fetch from 0x100000"} + kNotPresent),
        fetch("OfCodeThatCanBeRead", 0x9000, 0x9003,
              std::string{"the read of 0x9003"} + kNotPresent),
        fetch("TooFarFromRip", kEnd, kEnd + 15, std::string{"the read of 0x10000f"} + kNotPresent),
        fetch("BeforeRip", kEnd, kEnd - 1, std::string{"the read of 0xfffff"} + kNotPresent)),
    kName);

TEST(PageFaultCause, Bit5OfCr3IsPartOfPaePagingsTable) {
  expect_cause({"",
                Vector::kPageFault,
                0,
                {},
                [](Guest& guest) {
                  guest.registers.cr0.value |= Cr0::kPg;
                  guest.registers.cr4.value = Cr4::kPae;
                  guest.registers.cr3.value = 0x10020;
                  guest.put(0x10020, 2, 8);
                },
                "its PDPTE at 0x10020 (0x2) is not present",
                Gva{0x10}});
}

TEST(PageFaultCause, AnAddressThatTheModeLacks) {
  expect_cause({"",
                Vector::kPageFault,
                0,
                {},
                [](Guest& guest) { guest.enter_64_bit(); },
                "the read of 0x800000000000 at CPL 0: it is not an address of 4-level paging",
                Gva{1ULL << 47U}});
}

}  // namespace
