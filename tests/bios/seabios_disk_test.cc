// INT 13h in hltest and in SeaBIOS, with a floppy disk of 1.44 MB and a hard disk of 20,000
// sectors.
#include "service_calls.h"

namespace hltest::oracle {
namespace {

constexpr Drive kMissingFloppy = 0x01;
constexpr Drive kMissingHardDisk = 0x81;
constexpr std::uint8_t kDisk = 0x13;

// What need not be alike. Where AX differs, both set the carry flag unless another reason is given.
using Exclusions = std::vector<Exclusion>;
const Exclusions kNoSuchPlace = {
    {"ax",
     "AH: the drive does not find the sector (04h); SeaBIOS checks before, and tells a bad "
     "parameter "
     "(01h). AL: no sector was moved; SeaBIOS leaves what was asked for"}};
const Exclusions kNoSuchDrive = {
    {"ax",
     "AH: the drive does not answer (80h), and 07h of AH = 08h, as IBM's BIOS; SeaBIOS tells a bad "
     "parameter (01h) for all. AL: as for a missing sector"}};
const Exclusions kNoTypeOfNoDrive = {
    {"ah cf", "no error, and no drive (00h), as IBM's BIOS; SeaBIOS tells a bad parameter (01h)"}};
const Exclusions kTooMany = {{"al", "no sector was moved; SeaBIOS leaves what was asked for"}};
const Exclusions kItsTable = {
    {"di", "where the diskette parameters are in the ROM; their bytes are compared"}};
const Exclusions kExtensions = {
    {"cx", "SeaBIOS has also functions to lock and eject, and those of EDD"}};
const Exclusions kNotTheSignature = {
    {"ax bx cx cf", "EDD wants BX = 55AAh; SeaBIOS answers to any other"}};
const Exclusions kShortPacket = {
    {"ah cf", "EDD refuses a packet of less than 16 bytes; SeaBIOS does not look at its size"}};
const Exclusions kNoChangeLine = {
    {"ah", "hltest lacks the function (01h); SeaBIOS always tells a changed disk (06h)"}};

class DiskOracleTest : public ServiceOracleTest {
 protected:
  // Adds INT 13h. `chs` is CX: the cylinder and the sector.
  Call& call(const std::string& what, std::uint32_t eax, std::uint32_t chs, std::uint32_t head,
             Drive drive, std::uint32_t ebx = 0) {
    table_.calls.push_back({.what = what,
                            .vector = kDisk,
                            .eax = eax,
                            .ebx = ebx,
                            .ecx = chs,
                            .edx = head << 8U | drive});
    return table_.calls.back();
  }
  // A call that fails, and the status that it leaves.
  void fails(const std::string& what, std::uint32_t eax, std::uint32_t chs, std::uint32_t head,
             Drive drive, const Exclusions& excluded) {
    call(what, eax, chs, head, drive, 0x1000).excluded = excluded;
    call("the status of it", 0x0100, 0, 0, drive).excluded = excluded;
  }
  // Adds a call with a packet of its own at DS:SI, and returns where that is in the table's data.
  std::uint16_t by_packet(const std::string& what, std::uint32_t eax, Drive drive,
                          std::uint64_t lba, std::uint16_t count, std::uint16_t offset = 0,
                          const Exclusions& excluded = {}, std::uint8_t size = 16) {
    const auto at = static_cast<std::uint16_t>(CallTable::kData + table_.data.size());
    const std::uint64_t start = std::uint64_t{Call::kBufferSegment} << 48U |
                                std::uint64_t{offset} << 32U | std::uint64_t{count} << 16U | size;
    for (const std::uint64_t half : {start, lba}) {
      for (unsigned i = 0; i < 8; ++i) {
        table_.data.push_back(static_cast<std::uint8_t>(half >> (8 * i)));
      }
    }
    table_.calls.push_back(
        {.what = what, .vector = kDisk, .eax = eax, .edx = drive, .esi = at, .excluded = excluded});
    return at;
  }
  // A packet for sectors that the disk lacks.
  void beyond_the_end(const std::string& what, std::uint32_t eax, std::uint64_t lba) {
    const std::uint16_t at = by_packet(what, eax, kFirstHardDisk, lba, 1, 0x400, kNoSuchPlace);
    table_.excluded_memory.push_back(
        {.from = Gpa{Call::kTableSegment * 16ULL + at + 2},
         .size = 2,
         .why = "the packet has how many sectors were moved (EDD-3, 8.22); SeaBIOS leaves it"});
  }
  void transfers(Drive drive, std::uint32_t last_cylinder, std::uint32_t sectors,
                 std::uint32_t heads);

  CallTable table_{};
};

void DiskOracleTest::transfers(Drive drive, std::uint32_t last_cylinder, std::uint32_t sectors,
                               std::uint32_t heads) {
  call("reset", 0x0000, 0, 0, drive);
  call("the status", 0x0100, 0, 0, drive);
  call("the boot sector", 0x0201, 0x0001, 0, drive, 0x0000);
  call("two sectors", 0x0202, 0x0002, 0, drive, 0x0200);
  call("the last sector of a track", 0x0201, sectors, 0, drive, 0x0600);
  call("the next head", 0x0201, 0x0001, 1, drive, 0x0800);
  call("the last sector of all", 0x0201, last_cylinder << 8U | sectors, heads - 1, drive, 0x0A00);
  call("write", 0x0301, 0x0105, 1, drive, 0x0000);
  call("read what was written", 0x0201, 0x0105, 1, drive, 0x0C00);
  call("verify", 0x0401, 0x0105, 1, drive, 0x0E00);
  fails("sector 0", 0x0201, 0x0000, 0, drive, kNoSuchPlace);
  fails("a sector beyond the track", 0x0201, sectors + 1, 0, drive, kNoSuchPlace);
  fails("a head too large", 0x0201, 0x0001, heads, drive, kNoSuchPlace);
  fails("a cylinder too large", 0x0201, (last_cylinder + 1) << 8U | 1, 0, drive, kNoSuchPlace);
  fails("cylinder 1023", 0x0201, 0xFFC1, 0, drive, kNoSuchPlace);
  fails("verify sector 0", 0x0401, 0x0000, 0, drive, kNoSuchPlace);
  fails("write sector 0", 0x0301, 0x0000, 0, drive, kNoSuchPlace);
  fails("no sectors", 0x0200, 0x0001, 0, drive, {});
  fails("no sectors to write", 0x0300, 0x0001, 0, drive, {});
  fails("no sectors to verify", 0x0400, 0x0001, 0, drive, {});
  fails("129 sectors", 0x0281, 0x0001, 0, drive, kTooMany);
  call("reset", 0x0000, 0, 0, drive);
  call("the status", 0x0100, 0, 0, drive);
}

TEST_F(DiskOracleTest, TransfersOfAHardDisk) {
  transfers(kFirstHardDisk, 18, 63, 16);
  call("a track's rest and more", 0x0208, 60, 0, kFirstHardDisk, 0x1000);
  call("across 64 KiB", 0x0202, 1, 0, kFirstHardDisk, 0xFD00);
  compare_calls(table_);
}

TEST_F(DiskOracleTest, TransfersOfAFloppy) {
  table_.boot = kFirstFloppy;
  transfers(kFirstFloppy, 79, 18, 2);
  call("a track's rest", 0x0203, 16, 0, kFirstFloppy, 0x1000);
  call("to the end of 64 KiB", 0x0202, 1, 0, kFirstFloppy, 0xFC00);
  call("across 64 KiB", 0x0202, 1, 0, kFirstFloppy, 0xFD00);
  call("the status", 0x0100, 0, 0, kFirstFloppy);
  compare_calls(table_);
}

TEST_F(DiskOracleTest, MissingDrives) {
  for (const Drive drive : {kMissingFloppy, kMissingHardDisk}) {
    call("reset", 0x0000, 0, 0, drive);
    call("the status", 0x0100, 0, 0, drive);
    fails("read", 0x0201, 1, 0, drive, kNoSuchDrive);
    fails("write", 0x0301, 1, 0, drive, kNoSuchDrive);
    fails("verify", 0x0401, 1, 0, drive, kNoSuchDrive);
    fails("the parameters", 0x0800, 0, 0, drive, kNoSuchDrive);
    call("the type", 0x1500, 0, 0, drive).excluded = kNoTypeOfNoDrive;
    call("the extensions", 0x4100, 0, 0, drive, 0x55AA);
    by_packet("read by a packet", 0x4200, drive, 0, 1, 0, kNoSuchDrive);
    call("the parameters by a packet", 0x4800, 0, 0, drive);
    call("an unknown function", 0x7700, 0, 0, drive);
  }
  compare_calls(table_);
}

TEST_F(DiskOracleTest, Parameters) {
  table_.disks = {{kFirstFloppy, Disk{2880}}};
  for (const Drive drive : {kFirstFloppy, kFirstHardDisk}) {
    const bool is_floppy = drive == kFirstFloppy;
    call("the parameters", 0x0800, 0, 0, drive).excluded = is_floppy ? kItsTable : Exclusions{};
    call("the type", 0x1500, 0, 0, drive);
    call("the status", 0x0100, 0, 0, drive);
    call("the extensions", 0x4100, 0, 0, drive, 0x55AA).excluded = kExtensions;
    call("the extensions, BX = 55ABh", 0x4100, 0, 0, drive, 0x55AB).excluded =
        is_floppy ? Exclusions{} : kNotTheSignature;
    call("set the parameters", 0x0900, 0, 0, drive);
    call("seek", 0x0C00, 1, 0, drive);
    call("reset of the hard disks", 0x0D00, 0, 0, drive);
    call("ready?", 0x1000, 0, 0, drive);
    call("recalibrate", 0x1100, 0, 0, drive);
    call("diagnose", 0x1400, 0, 0, drive);
    call("is the disk another?", 0x1600, 0, 0, drive).excluded =
        is_floppy ? kNoChangeLine : Exclusions{};
    call("an unknown function", 0x7700, 0, 0, drive);
    call("the status", 0x0100, 0, 0, drive);
  }
  call("an unknown function, of the floppy", 0x7700, 0, 0, kFirstFloppy);
  call("reset of the hard disks", 0x0D00, 0, 0, kFirstHardDisk);
  call("the status of the floppy", 0x0100, 0, 0, kFirstFloppy);
  call("the status of the hard disk", 0x0100, 0, 0, kFirstHardDisk);
  compare_calls(table_);
  ASSERT_FALSE(in_qemu_.empty());
  const auto table = [](const Returned& result) {
    return Gpa{result.es * 16ULL + (result.edi & 0xFFFFU)};
  };
  constexpr std::uint64_t kParametersSize = 11;
  EXPECT_EQ(memory().read_bytes(table(in_hltest_[0]), kParametersSize),
            qemu_->read(table(in_qemu_[0]), kParametersSize));
}

TEST_F(DiskOracleTest, Packets) {
  table_.disks = {{kFirstFloppy, Disk{2880}}};
  by_packet("a sector", 0x4200, kFirstHardDisk, 0, 1);
  by_packet("the last sector", 0x4200, kFirstHardDisk, 19'999, 1, 0x200);
  by_packet("no sectors", 0x4200, kFirstHardDisk, 0, 0, 0x400);
  by_packet("a short packet", 0x4200, kFirstHardDisk, 0, 1, 0x400, kShortPacket, 15);
  by_packet("no packet", 0x4200, kFirstHardDisk, 0, 1, 0x400, kShortPacket, 0);
  by_packet("a long packet", 0x4200, kFirstHardDisk, 1, 1, 0x400, {}, 24);
  by_packet("127 sectors", 0x4200, kFirstHardDisk, 0, 127, 0);
  by_packet("write", 0x4300, kFirstHardDisk, 100, 1, 0);
  by_packet("verify", 0x4400, kFirstHardDisk, 100, 1, 0);
  by_packet("seek", 0x4700, kFirstHardDisk, 100, 1, 0);
  by_packet("a floppy", 0x4200, kFirstFloppy, 0, 1, 0);
  call("the status of it", 0x0100, 0, 0, kFirstFloppy);
  compare_calls(table_);
}

TEST_F(DiskOracleTest, PacketsBeyondTheEnd) {
  table_.is_made_once = true;  // a packet that failed has another count
  beyond_the_end("beyond the end", 0x4200, 20'000);
  call("the status of it", 0x0100, 0, 0, kFirstHardDisk).excluded = kNoSuchPlace;
  beyond_the_end("far beyond the end", 0x4200, 1ULL << 40U);
  by_packet("to beyond the end", 0x4200, kFirstHardDisk, 19'998, 4, 0x600, kNoSuchPlace);
  beyond_the_end("write beyond the end", 0x4300, 20'000);
  beyond_the_end("verify beyond the end", 0x4400, 20'000);
  compare_calls(table_);
}

TEST_F(DiskOracleTest, ParametersByAPacket) {
  for (const std::uint16_t size : std::vector<std::uint16_t>{26, 25, 30}) {
    const auto at = static_cast<std::uint16_t>(CallTable::kData + table_.data.size());
    table_.data.resize(table_.data.size() + 32);
    table_.data[at - CallTable::kData] = static_cast<std::uint8_t>(size);
    call(std::to_string(size) + " bytes", 0x4800, 0, 0, kFirstHardDisk).esi = at;
    const Gpa from{Call::kTableSegment * 16ULL + at};
    const std::string why = "hltest has the 26 bytes of EDD 1.0, SeaBIOS those of EDD 2.0, too";
    if (size > 26) {
      table_.excluded_memory = {{.from = from, .size = 2, .why = why},
                                {.from = from + 26, .size = 4, .why = why}};
    }
  }
  compare_calls(table_);
}

// More than 1024 cylinders of 16 heads: the BIOS translates.
TEST_F(DiskOracleTest, ParametersOfALargeDisk) {
  constexpr Drive kLarge = 0x81;
  table_.disks = {{kLarge, Disk{1'500'000}}};
  call("the parameters", 0x0800, 0, 0, kLarge);
  call("the type", 0x1500, 0, 0, kLarge);
  call("a sector", 0x0201, 0x2001, 31, kLarge);
  fails("a head too large", 0x0201, 0x0001, 32, kLarge, kNoSuchPlace);
  fails("a cylinder too large", 0x0201, 0xFFC1, 0, kLarge, kNoSuchPlace);
  by_packet("the last sector", 0x4200, kLarge, 1'499'999, 1);
  compare_calls(table_);
}

}  // namespace
}  // namespace hltest::oracle
