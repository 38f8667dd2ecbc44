// A boot sector that loads KERNEL.BIN from a FAT12 floppy.
#include <hltest/hltest.h>

#include <numeric>

#include "../state_name.h"
#include "guests/boot.h"
#include "guests/second_stage.h"

namespace {

using namespace hltest;
using ::testing::SizeIs;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kLoaded = "K";

// A kernel of so many bytes. It checks a word at its end, which is how it knows that it is all
// there, and prints "K".
Bytes kernel(std::size_t size) {
  // mov ax, end >> 4; mov ds, ax; cmp word [end & 15], 0xCAFE; jne .bad; mov ax, 0x0E4B; int 0x10;
  // .bad: cli; hlt
  const std::size_t end = 0x8000 + size - 2;
  const auto low = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
  Bytes bytes{0xB8,
              low(end >> 4U),
              low(end >> 12U),
              0x8E,
              0xD8,
              0x81,
              0x3E,
              low(end & 15U),
              0x00,
              0xFE,
              0xCA,
              0x75,
              0x05,
              0xB8,
              0x4B,
              0x0E,
              0xCD,
              0x10,
              0xFA,
              0xF4};
  bytes.resize(size - 2);
  // Bytes that differ from sector to sector.
  for (std::size_t i = 32; i < bytes.size(); ++i) bytes[i] = low(i / 512 * 7 + i);
  bytes.insert(bytes.end(), {0xFE, 0xCA});
  return bytes;
}

FatVolume volume_with(const FatFile& file) {
  return {.files = {{"README.TXT", Bytes(700, 'r')}, file}, .boot_sector = guests::load_from_fat12};
}

class Fat12BootTest : public BootSectorTest {
 protected:
  // Boots from the volume. Checks that the whole kernel is in memory if it was run.
  Outcome boot(const FatVolume& volume) {
    Outcome outcome = run(fat_disk(volume));
    EXPECT_THAT(outcome, Halted()) << report(outcome);
    return outcome;
  }
  void expect_loaded(const Outcome& outcome, const Bytes& bytes) {
    EXPECT_THAT(outcome, ShowsText(0, kLoaded));
    EXPECT_THAT(outcome, Printed(kLoaded));
    EXPECT_THAT(memory(), HasBytes(Gpa{0x8000}, bytes));
  }
};

TEST_F(Fat12BootTest, RunsTheSecondStageAndKnowsItsSourceLines) {
  const Outcome outcome = boot(volume_with({"KERNEL.BIN", guests::second_stage}));
  EXPECT_EQ(outcome.mode, CpuMode::kLong64);
  EXPECT_THAT(outcome, ShowsText(2, "OK"));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(outcome.source()->line.file, "second_stage.asm");
}

TEST_F(Fat12BootTest, SourceLinesOfAKernelInPiecesAreKnown) {
  Bytes halting(512, 0x90);
  halting.insert(halting.end(), {0x90, 0xF4});
  const std::string listing =
      "     1 00000000 90<rep 200h>               times 512 nop\n"
      "     2 00000200 90                          nop\n"
      "     3 00000201 F4                          hlt\n";
  const RealModeImage pieces{"pieces", halting, Gpa{0x8000}, {"pieces.asm", listing}};
  const Outcome outcome = boot(volume_with({"KERNEL.BIN", pieces, {50, 20}}));
  ASSERT_TRUE(outcome.source().has_value());
  EXPECT_EQ(to_string(*outcome.source()), "pieces.asm:3");
}

TEST_F(Fat12BootTest, TheKernelFindsTheStateThatItIsPromised) {
  const Outcome outcome = boot(volume_with({"KERNEL.BIN", RealModeImage{"halt", {0xF4}}}));
  EXPECT_THAT(outcome, JumpedTo(0x0000, 0x8000));
  EXPECT_EQ(outcome.registers.dl(), kFirstFloppy);
  EXPECT_EQ(outcome.registers.ds.selector, 0);
  EXPECT_EQ(outcome.registers.es.selector, 0);
  EXPECT_EQ(outcome.registers.ss.selector, 0);
  EXPECT_EQ(outcome.registers.sp(), 0x7C00);
  EXPECT_FALSE(outcome.registers.rflags.df());
  EXPECT_THAT(memory(), HasBytes(Gpa{0x600}, {0xF0, 0xFF, 0xFF, 0x03, 0xF0, 0xFF}));
}

TEST_F(Fat12BootTest, LoadsKernelsOfAnySize) {
  for (const std::size_t size : {32U, 511U, 512U, 513U, 1024U, 0x8000U, 0x8001U, 200'000U}) {
    const Bytes bytes = kernel(size);
    expect_loaded(boot(volume_with({"KERNEL.BIN", bytes})), bytes);
  }
}

TEST_F(Fat12BootTest, LoadsFromFloppiesOfAnySize) {
  const Bytes bytes = kernel(5000);
  for (const std::uint64_t size : {320U, 360U, 640U, 720U, 1440U, 2400U, 2880U, 3360U, 5760U}) {
    SCOPED_TRACE(size);
    FatVolume volume = volume_with({"KERNEL.BIN", bytes});
    volume.sectors = size;
    expect_loaded(boot(volume), bytes);
  }
}

// Backwards, with even and odd clusters, and in the last one.
TEST_F(Fat12BootTest, FollowsTheChainOfAFragmentedFile) {
  const Bytes bytes = kernel(20 * Disk::kSectorSize);
  std::vector<std::uint16_t> clusters(20);
  std::iota(clusters.rbegin(), clusters.rend(), std::uint16_t{333});
  clusters[3] = 2848;
  clusters[8] = 1000;
  clusters[9] = 1001;
  const Outcome outcome = boot(volume_with({"KERNEL.BIN", bytes, clusters}));
  expect_loaded(outcome, bytes);
  // 9 of the FAT, 1 of the root directory
  ASSERT_THAT(outcome.disk_transfers(), SizeIs(10 + 20));
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    EXPECT_EQ(outcome.disk_transfers()[10 + i].lba, 31U + clusters[i]);
  }
}

TEST_F(Fat12BootTest, FindsTheKernelInTheLastEntry) {
  FatVolume volume{.boot_sector = guests::load_from_fat12};
  for (unsigned i = 0; i < 223; ++i) volume.files.push_back({std::to_string(i)});
  volume.files.push_back({"KERNEL.BIN", kernel(100)});
  expect_loaded(boot(volume), kernel(100));
  volume.files.back().name = "KERNEL2.BIN";
  EXPECT_THAT(boot(volume), ShowsText(0, "No KERNEL.BIN"));
}

TEST_F(Fat12BootTest, SaysThatThereIsNoKernel) {
  for (const char* const name :
       {"KERNEL.COM", "KERNEL", "KERNEL.BI", "XKERNEL.BIN", "KERNELBI.N"}) {
    const Outcome outcome = boot(volume_with({name, kernel(100)}));
    EXPECT_THAT(outcome, ShowsText(0, "No KERNEL.BIN"));
    EXPECT_THAT(outcome, Printed("No KERNEL.BIN"));
  }
}

// What is after an entry that begins with 0 is no file, and neither is a directory or a label.
TEST_F(Fat12BootTest, OnlyAFileIsAKernel) {
  constexpr std::uint64_t kRoot = 19 * Disk::kSectorSize;
  for (const std::uint8_t attributes : Bytes{0x10, 0x08, 0x0F}) {
    Disk disk = fat_disk(volume_with({"KERNEL.BIN", kernel(100)}));
    disk.write_bytes(kRoot + 32 + 11, std::span{&attributes, 1});
    EXPECT_THAT(run(disk), ShowsText(0, "No KERNEL.BIN"));
  }
  Disk disk = fat_disk(volume_with({"KERNEL.BIN", kernel(100)}));
  disk.write_bytes(kRoot, Bytes{0});
  EXPECT_THAT(run(disk), ShowsText(0, "No KERNEL.BIN"));
  disk.write_bytes(kRoot, Bytes{0xE5});  // deleted
  EXPECT_THAT(run(disk), ShowsText(0, kLoaded));
}

TEST_F(Fat12BootTest, SaysThatTheChainIsBad) {
  // KERNEL.BIN begins in cluster 4, whose entry is the first in bytes 6 and 7 of the FAT.
  for (const unsigned next : {0x000U, 0x001U, 0xFF0U, 0xFF7U}) {
    Disk disk = fat_disk(volume_with({"KERNEL.BIN", kernel(100)}));
    const Bytes entry{static_cast<std::uint8_t>(next), static_cast<std::uint8_t>(next >> 8U)};
    disk.write_bytes(512 + 6, entry);
    EXPECT_THAT(run(disk), ShowsText(0, "Bad KERNEL.BIN")) << next;
  }
  EXPECT_THAT(boot(volume_with({"KERNEL.BIN", Bytes{}})), ShowsText(0, "Bad KERNEL.BIN"));
}

TEST_F(Fat12BootTest, AChainThatIsALoopEndsBelowTheBiossMemory) {
  Disk disk = fat_disk(volume_with({"KERNEL.BIN", kernel(100)}));
  disk.write_bytes(512 + 6, Bytes{4, 0});
  machine().set_timeout(std::chrono::seconds{50});  // more than a thousand reads
  const Outcome outcome = run(disk);
  EXPECT_THAT(outcome, ShowsText(0, "Bad KERNEL.BIN"));
  // 639 KiB: 0x9FC00 is where the BIOS's memory begins.
  EXPECT_EQ(outcome.disk_transfers().back().memory, Gpa{0x9FA00});
}

TEST_F(Fat12BootTest, AClusterBeyondTheVolumeIsADiskError) {
  Disk disk = fat_disk(volume_with({"KERNEL.BIN", kernel(100)}));
  disk.write_bytes(512 + 6, Bytes{0xEF, 0x0F});
  EXPECT_THAT(run(disk), ShowsText(0, "Disk error"));
}

// The reads: 9 of the FAT, 1 of the root directory, 1 of the kernel.
TEST_F(Fat12BootTest, TriesEachSectorThreeTimes) {
  for (unsigned after = 0; after < 11; ++after) {
    SCOPED_TRACE(after);
    bios().disk_failures = {{.status = 0x20, .after = after, .times = 2}};
    const Outcome twice = boot(volume_with({"KERNEL.BIN", kernel(100)}));
    expect_loaded(twice, kernel(100));
    EXPECT_THAT(twice, CalledBios(0x13, 0x00)) << "a reset";
    bios().disk_failures = {{.status = 0x20, .after = after, .times = 3}};
    EXPECT_THAT(boot(volume_with({"KERNEL.BIN", kernel(100)})), ShowsText(0, "Disk error"));
  }
}

TEST_F(Fat12BootTest, SaysThatTheDiskAlwaysFails) {
  bios().disk_failures = {{.times = 1'000'000}};
  const Outcome outcome = boot(volume_with({"KERNEL.BIN", kernel(100)}));
  EXPECT_THAT(outcome, Printed("Disk error"));
  EXPECT_THAT(outcome, ReadSectors({}));
}

class Fat12BootInAnyState : public BootSectorTest,
                            public ::testing::WithParamInterface<BiosState> {};

TEST_P(Fat12BootInAnyState, RunsTheKernel) {
  const Bytes bytes = kernel(3000);
  const Outcome outcome =
      run_in(GetParam(), fat_disk(volume_with({"KERNEL.BIN", bytes, {2000, 30, 31, 32, 1999, 7}})));
  ASSERT_THAT(outcome, Halted()) << report(outcome);
  EXPECT_THAT(outcome, ShowsText(0, kLoaded));
  EXPECT_THAT(memory(), HasBytes(Gpa{0x8000}, bytes));
  EXPECT_EQ(outcome.registers.dl(), GetParam().drive);
}

INSTANTIATE_TEST_SUITE_P(States, Fat12BootInAnyState,
                         ::testing::ValuesIn(hostile_bios_states(kFirstFloppy)), state_name);

}  // namespace
