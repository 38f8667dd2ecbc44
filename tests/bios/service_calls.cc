#include "service_calls.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <sstream>

#include "guests/boot.h"

namespace hltest::oracle {
namespace {

constexpr std::uint64_t kTableSectors = 17;
constexpr std::size_t kFirstCall = 16;
constexpr std::uint64_t kLastSector = 19'999;
constexpr Gpa kResults{0x20000};
constexpr std::uint16_t kArithmetic =
    Rflags::kCf | Rflags::kPf | Rflags::kAf | Rflags::kZf | Rflags::kSf | Rflags::kOf;
constexpr std::uint16_t kClearFlags = Rflags::kFixed | Rflags::kIf;
constexpr std::uint16_t kSetFlags = kClearFlags | kArithmetic;

struct TableEntry {
  std::uint16_t es, ds;
  std::uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
  std::uint16_t flags, vector;
};
static_assert(sizeof(TableEntry) == 40);

TableEntry entry_of(const Call& call, std::uint16_t flags) {
  const auto wide = [&call](std::uint32_t value) { return value | call.upper; };
  return {.es = call.es,
          .ds = call.ds,
          .edi = wide(call.edi),
          .esi = wide(call.esi),
          .ebp = wide(call.ebp),
          .unused = 0,
          .ebx = wide(call.ebx),
          .edx = wide(call.edx),
          .ecx = wide(call.ecx),
          .eax = wide(call.eax),
          .flags = flags,
          .vector = call.vector};
}

std::uint16_t calls_of(const CallTable& table) {
  return static_cast<std::uint16_t>(table.calls.size() * (table.is_made_once ? 1 : 2));
}

std::vector<std::uint8_t> table_bytes(const CallTable& table) {
  std::vector<std::uint8_t> bytes(kTableSectors * Disk::kSectorSize);
  const std::uint16_t count = calls_of(table);
  std::size_t at = kFirstCall;
  const std::size_t end = kFirstCall + count * sizeof(TableEntry);
  if (end > CallTable::kData || table.data.size() > bytes.size() - CallTable::kData) {
    throw SetupError(fmt::format("a table of {} calls and {} bytes of data: too large",
                                 table.calls.size(), table.data.size()));
  }
  std::memcpy(bytes.data(), &count, sizeof count);
  for (std::size_t i = 0; i < count; ++i) {
    const TableEntry entry = entry_of(table.calls[i % table.calls.size()],
                                      i < table.calls.size() ? kClearFlags : kSetFlags);
    std::memcpy(bytes.data() + at, &entry, sizeof entry);
    at += sizeof entry;
  }
  std::copy(table.data.begin(), table.data.end(), bytes.begin() + CallTable::kData);
  return bytes;
}

// A register of 8, 16 or 32 bits as a part of one of `Returned`'s fields.
struct Part {
  const char* name;
  const char* whole;
  std::uint32_t mask;
};
constexpr std::array kParts = {
    Part{"ax", "eax", 0xFFFF},        Part{"bx", "ebx", 0xFFFF},       Part{"cx", "ecx", 0xFFFF},
    Part{"dx", "edx", 0xFFFF},        Part{"al", "eax", 0xFF},         Part{"bl", "ebx", 0xFF},
    Part{"cl", "ecx", 0xFF},          Part{"dl", "edx", 0xFF},         Part{"ah", "eax", 0xFF00},
    Part{"bh", "ebx", 0xFF00},        Part{"ch", "ecx", 0xFF00},       Part{"dh", "edx", 0xFF00},
    Part{"si", "esi", 0xFFFF},        Part{"di", "edi", 0xFFFF},       Part{"bp", "ebp", 0xFFFF},
    Part{"cf", "flags", Rflags::kCf}, Part{"zf", "flags", Rflags::kZf}};

// The bits of a register that the call's exclusions leave to be compared.
std::uint32_t compared(const Call& call, const std::string& whole) {
  std::uint32_t mask = whole == "flags" ? kArithmetic | Rflags::kIf | Rflags::kDf : ~0U;
  for (const Exclusion& exclusion : call.excluded) {
    std::istringstream words{exclusion.registers};
    for (std::string word; words >> word;) {
      if (word == whole) mask = 0;
      for (const Part& part : kParts) {
        if (word == part.name && whole == part.whole) mask &= ~part.mask;
      }
    }
  }
  return mask;
}

BootCase boot_case_of(const CallTable& table) {
  const FlatImage& caller = guests::call_services;
  const RealModeImage calls{"calls", table_bytes(table)};
  std::vector<DiskPart> parts = {sector(caller), at(1, calls)};
  if (table.boot >= kFirstHardDisk) parts.push_back(at(kLastSector, RealModeImage{"last", {0x4C}}));
  BootCase boot_case{.disks = table.disks,
                     .boot = table.boot,
                     .memory = {{.from = Gpa{Call::kBufferSegment * 16ULL}, .size = 0x10000},
                                {.from = Gpa{Call::kTableSegment * 16ULL},
                                 .size = kTableSectors * Disk::kSectorSize}},
                     .excluded_memory = table.excluded_memory};
  boot_case.disks.insert_or_assign(table.boot, Disk{std::move(parts)});
  return boot_case;
}

std::vector<Returned> results_of(const std::vector<std::uint8_t>& bytes) {
  std::vector<Returned> results(bytes.size() / sizeof(Returned));
  std::memcpy(results.data(), bytes.data(), results.size() * sizeof(Returned));
  return results;
}

struct Field {
  const char* name;
  std::uint32_t value;
};

std::array<Field, 11> fields(const Returned& r) {
  return {{{"eax", r.eax},
           {"ebx", r.ebx},
           {"ecx", r.ecx},
           {"edx", r.edx},
           {"esi", r.esi},
           {"edi", r.edi},
           {"ebp", r.ebp},
           {"esp", r.esp},
           {"ds", r.ds},
           {"es", r.es},
           {"flags", r.flags}}};
}

void expect_alike(const Call& call, const Returned& ours, const Returned& theirs,
                  const char* flags_before) {
  const auto own = fields(ours);
  const auto other = fields(theirs);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::uint32_t mask = compared(call, own.at(i).name);
    EXPECT_EQ(own.at(i).value & mask, other.at(i).value & mask)
        << fmt::format("INT {:02X}h, AX = {:04X}h, {}, flags {}: {}: hltest {:x}, SeaBIOS {:x}",
                       call.vector, call.eax & 0xFFFFU, call.what, flags_before, own.at(i).name,
                       own.at(i).value & mask, other.at(i).value & mask);
  }
}

}  // namespace

void ServiceOracleTest::compare_calls(const CallTable& table) {
  ASSERT_NO_FATAL_FAILURE(compare(boot_case_of(table)));
  const std::size_t count = calls_of(table);
  in_hltest_ = results_of(memory().read_bytes(kResults, count * sizeof(Returned)));
  in_qemu_ = results_of(qemu_->read(kResults, count * sizeof(Returned)));
  for (std::size_t i = 0; i < count; ++i) {
    const Call& call = table.calls[i % table.calls.size()];
    ASSERT_EQ(in_hltest_[i].vector, call.vector) << "the guest stored something else";
    expect_alike(call, in_hltest_[i], in_qemu_[i], i < table.calls.size() ? "clear" : "set");
  }
}

}  // namespace hltest::oracle
