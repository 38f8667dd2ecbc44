// Disks: what they are made of, and what is refused.
#include <hltest/hltest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../message_of.h"

namespace {

using namespace hltest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RealModeImage image(const char* name, std::size_t size, std::uint8_t value) {
  return {name, std::vector<std::uint8_t>(size, value)};
}

TEST(DiskTest, OfGuestsHasEachAtItsSector) {
  const Disk disk{sector(image("mbr", 512, 1)), at(3, image("stage2", 600, 2))};
  EXPECT_EQ(disk.sectors(), 2880U) << "a floppy's at least";
  EXPECT_EQ(disk.read(0)[511], 1);
  EXPECT_EQ(disk.read(1)[0], 0);
  EXPECT_EQ(disk.read(4)[87], 2);
  EXPECT_EQ(disk.read(4)[88], 0) << "600 bytes";
  EXPECT_EQ((Disk{at(5000, image("far", 513, 3))}).sectors(), 5002U);
}

TEST(DiskTest, GuestsThatOverlapAreRefused) {
  EXPECT_EQ(message_of<SetupError>([] {
              (void)Disk{at(4, image("b", 1, 2)), sector(image("a", 2049, 1))};
            }),
            "on the disk, a (sectors 0-4) and b (sectors 4-4) overlap");
  EXPECT_NO_THROW((Disk{at(4, image("b", 1, 2)), sector(image("a", 2048, 1))}));
}

TEST(DiskTest, OfGuestsCanHaveItsOwnSize) {
  const Disk disk{4, {at(3, image("last", 512, 3))}};
  EXPECT_EQ(disk.sectors(), 4U);
  EXPECT_EQ(disk.read(3)[511], 3);
  EXPECT_EQ(message_of<SetupError>([] {
              (void)Disk{4, {at(3, image("long", 513, 3))}};
            }),
            "long (sectors 3-4) does not fit on a disk of 4 sectors: make the disk larger");
  EXPECT_THROW((Disk{0, {}}), SetupError);
}

TEST(DiskTest, AnImageCanLieInPieces) {
  std::vector<std::uint8_t> bytes(512, 1);
  bytes.resize(1030, 2);
  const RealModeImage whole{"whole", bytes};
  FlatImage head = whole;
  head.keep_first(512);
  const Disk disk{at(9, head), {.lba = 4, .image = whole, .offset = 512}};
  EXPECT_EQ(disk.read(9)[511], 1);
  EXPECT_EQ(disk.read(10)[0], 0);
  EXPECT_EQ(disk.read(4)[0], 2);
  EXPECT_THAT(disk.read_bytes(5 * Disk::kSectorSize + 4, 4), ElementsAre(2, 2, 0, 0));
  EXPECT_TRUE((DiskPart{.lba = 0, .image = whole, .offset = 2000}).bytes().empty());
}

TEST(DiskTest, WritesStayInTheValue) {
  Disk disk{100};
  const Disk before = disk;
  disk.write_bytes(510, std::vector<std::uint8_t>{1, 2, 3, 4});
  EXPECT_THAT(disk.read_bytes(509, 6), ElementsAre(0, 1, 2, 3, 4, 0));
  EXPECT_THAT(disk.written_sectors(), ElementsAre(0U, 1U));
  EXPECT_THAT(before.read_bytes(509, 6), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(DiskTest, BeyondTheEndThereIsNothing) {
  Disk disk{2};
  EXPECT_EQ(message_of<SetupError>([&] { (void)disk.read(2); }),
            "sector 2 of a disk of 2: there is none");
  EXPECT_THROW(disk.write(2, {}), SetupError);
  EXPECT_THROW((void)disk.read_bytes(1023, 2), SetupError);
  EXPECT_THROW(Disk{std::uint64_t{0}}, SetupError);
  EXPECT_THROW(Disk{(1ULL << 32U) + 1}, SetupError);
  EXPECT_THROW((void)Disk::of_bytes({}), SetupError);
}

TEST(DiskTest, GeometriesOfStandardSizes) {
  EXPECT_EQ(Disk{2880}.geometry(), (DiskGeometry{80, 2, 18}));
  EXPECT_EQ(Disk{1440}.geometry(), (DiskGeometry{80, 2, 9}));
  EXPECT_EQ(Disk{320}.geometry(), (DiskGeometry{40, 1, 8}));
  EXPECT_EQ(Disk{5760}.geometry(), (DiskGeometry{80, 2, 36}));
  EXPECT_TRUE(Disk{2880}.has_floppy_size());
  EXPECT_FALSE(Disk{2881}.has_floppy_size());
  EXPECT_EQ(Disk{20'160}.geometry(), (DiskGeometry{20, 16, 63}));
  EXPECT_EQ(Disk{1}.geometry().cylinders, 1U);
  EXPECT_EQ(Disk{1ULL << 22U}.geometry(), (DiskGeometry{520, 128, 63})) << "2 GiB";
  EXPECT_EQ(Disk{1ULL << 32U}.geometry(), (DiskGeometry{1024, 255, 63}));
  Disk disk{2880};
  disk.set_geometry({10, 4, 17});
  EXPECT_EQ(disk.geometry(), (DiskGeometry{10, 4, 17}));
}

TEST(DiskTest, AGeometryHasWhatInt13hHasRoomFor) {
  Disk disk{2880};
  for (const DiskGeometry& geometry :
       {DiskGeometry{0, 1, 1}, DiskGeometry{1025, 1, 1}, DiskGeometry{1, 0, 1},
        DiskGeometry{1, 256, 1}, DiskGeometry{1, 1, 0}, DiskGeometry{1, 1, 64}}) {
    EXPECT_THAT([&] { disk.set_geometry(geometry); },
                ::testing::ThrowsMessage<SetupError>(::testing::HasSubstr("INT 13h has room for")));
  }
  for (const DiskGeometry& geometry : {DiskGeometry{1, 1, 1}, DiskGeometry{1024, 255, 63}}) {
    disk.set_geometry(geometry);
    EXPECT_EQ(disk.geometry(), geometry);
  }
}

TEST(DiskTest, PartsEndWithinTheLastSector) {
  const FlatImage two{"two", std::vector<std::uint8_t>(1024)};
  EXPECT_EQ((Disk{at((1ULL << 32U) - 2, two)}.sectors()), 1ULL << 32U);
  EXPECT_THAT([&] { Disk{at((1ULL << 32U) - 1, two)}; },
              ::testing::ThrowsMessage<SetupError>(
                  "two (sectors 4294967295-4294967296): a disk can have 2^32 sectors"));
}

class DiskFileTest : public ::testing::Test {
 protected:
  DiskFileTest() : path_(::testing::TempDir() + "disk" + std::to_string(getpid())) {}
  ~DiskFileTest() override { std::filesystem::remove(path_); }
  std::string path_;
};

TEST_F(DiskFileTest, IsReadAndNotWritten) {
  std::ofstream{path_} << std::string(512, 'a') << "bc";
  Disk disk = Disk::of_file(path_);
  EXPECT_EQ(disk.sectors(), 2U);
  EXPECT_EQ(disk.read(1)[1], 'c');
  EXPECT_EQ(disk.read(1)[2], 0);
  disk.write(0, {});
  EXPECT_EQ(std::filesystem::file_size(path_), 514U);
  EXPECT_EQ(Disk::of_file(path_).read(0)[0], 'a');
}

TEST_F(DiskFileTest, OfAnySizeTakesNoMemory) {
  std::ofstream{path_} << "x";
  std::filesystem::resize_file(path_, 8ULL << 30U);
  const Disk disk = Disk::of_file(path_);
  EXPECT_EQ(disk.sectors(), 8ULL << 21U);
  EXPECT_EQ(disk.read(0)[0], 'x');
}

TEST_F(DiskFileTest, ThatIsNoneIsRefusedByName) {
  EXPECT_THAT(message_of<SetupError>([this] { (void)Disk::of_file(path_); }),
              HasSubstr("the disk image " + path_ + ": it can't be read (No such file"));
  std::ofstream{path_}.flush();
  EXPECT_THAT(message_of<SetupError>([this] { (void)Disk::of_file(path_); }),
              HasSubstr("it is empty"));
  EXPECT_THAT(message_of<SetupError>([] { (void)Disk::of_file("/dev"); }),
              HasSubstr("it is no file"));
}

}  // namespace
