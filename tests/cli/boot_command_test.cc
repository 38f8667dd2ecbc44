// `hltest run --boot`.
#include "command_fixture.h"

namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Prints a key, writes sector 1 from 0x7E00 of the drive it booted from, and halts.
constexpr const char* kSource = R"(        org     0x7C00
        xor     ax, ax
        mov     es, ax
        mov     ah, 0
        int     0x16
        mov     ah, 0x0E
        int     0x10
        mov     byte [es:0x7E00], 'W'
        mov     ax, 0x0301
        mov     bx, 0x7E00
        mov     cx, 2
        mov     dh, 0
        int     0x13
        movzx   bx, dl
        hlt
%ifdef GREETING
        db      GREETING
%endif
        times 510 - ($ - $$) db 0
        dw      0xAA55
)";

class BootCommandTest : public CommandTest {
 protected:
  // The sector as an image of so many sectors.
  std::string disk_image(const std::string& name, unsigned sectors) {
    const std::string source = file(name + ".asm", kSource);
    const std::string image = (folder_ / name).string();
    const std::string command = "nasm -f bin -o '" + image + "' " + source;
    EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c): the shell is meant
    std::filesystem::resize_file(image, sectors * 512);
    return "'" + image + "'";
  }
};

TEST_F(BootCommandTest, ASourceIsBootedFromAHardDisk) {
  const json object = run_json(file("boot.asm", kSource) + " --boot --keys k", 0);
  EXPECT_EQ(object["outcome"], "halted");
  EXPECT_EQ(object["screen"][0], "k");
  EXPECT_EQ(object["console"], "k");
  EXPECT_EQ(object["registers"]["rbx"], "0x80");
  const json& calls = object["calls"];
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls[0]["vector"], 0x16);
  EXPECT_EQ(calls[0]["carry"], false);
  EXPECT_EQ(calls[0]["description"], "INT 16h, AX = 0000h: read a key");
  EXPECT_FALSE(calls[0].contains("sectors"));
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(
      calls[2]["sectors"],
      json({{"drive", 0x80}, {"lba", 1}, {"count", 1}, {"written", true}, {"memory", "0x7e00"}}));
}

TEST_F(BootCommandTest, AnImagesSizeMakesItAFloppy) {
  EXPECT_EQ(run_json(disk_image("floppy", 2880) + " --boot --keys k", 0)["registers"]["rbx"],
            "0x0");
  EXPECT_EQ(run_json(disk_image("disk", 2881) + " --boot --keys k", 0)["registers"]["rbx"], "0x80");
  EXPECT_EQ(run_json(disk_image("disk", 2881) + " --boot --floppy --keys k", 0)["registers"]["rbx"],
            "0x0");
}

TEST_F(BootCommandTest, WritesGoToACopyUnlessTheyAreToStay) {
  const std::string image = disk_image("disk", 4);
  const auto written = [this] { return read_text(folder_ / "disk").at(512); };
  run_json(image + " --boot --keys k", 0);
  EXPECT_EQ(written(), '\0');
  run_json(image + " --boot --keys k --write", 0);
  EXPECT_EQ(written(), 'W');
  EXPECT_EQ(std::filesystem::file_size(folder_ / "disk"), 4 * 512U);
}

TEST_F(BootCommandTest, KeysAreWrittenWithBackslashes) {
  EXPECT_EQ(run_json(file("boot.asm", kSource) + " --boot --keys '\\\\'", 0)["console"], "\\");
  EXPECT_EQ(run_json(file("boot.asm", kSource) + " --boot --keys '\\n'", 0)["console"], "\r");
  expect_usage_error(file("boot.asm", kSource) + " --boot --keys 'a\\x'",
                     "--keys a\\x: after a backslash n, b, t, e or a backslash");
}

TEST_F(BootCommandTest, AReportShowsTheScreenAndTheCalls) {
  const Result result = hltest("run --boot " + file("boot.asm", kSource));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("it waits for a key (INT 16h, AH = 00h), and none is"));
  EXPECT_THAT(result.out, HasSubstr("the screen is empty"));
  EXPECT_THAT(result.out, HasSubstr("INT 16h, AX = 0000h: read a key"));
}

TEST_F(BootCommandTest, FurtherDisksFollowTheFirst) {
  const std::string disk = disk_image("disk", 4);
  const std::string source =
      "        mov ah, 8\n        mov dl, 0x80\n        int 0x13\n        hlt\n"
      "        times 510-($-$$) db 0\n        dw 0xaa55\n";
  const json object =
      run_json("--boot --disk " + disk + " --disk " + disk + " " + file("count.asm", source), 0);
  EXPECT_THAT(object["registers"]["rdx"].get<std::string>(), ::testing::EndsWith("03"));
}

TEST_F(BootCommandTest, NasmGetsFoldersAndMacros) {
  std::filesystem::create_directories(folder_ / "inc");
  file("inc/code.inc", "        mov ax, VALUE\n        hlt\n");
  const std::string main = file("main.asm", "%include \"code.inc\"\n");
  EXPECT_EQ(run_json(main + " -I '" + (folder_ / "inc").string() + "' -D VALUE=77",
                     0)["registers"]["rax"],
            "0x4d");
}

TEST_F(BootCommandTest, BadInputIsOneLineThatNamesIt) {
  const std::string source = file("boot.asm", kSource);
  expect_usage_error(source + " --keys k", "--keys is for a guest that boots: give --boot too");
  expect_usage_error(source + " --floppy", "--floppy is for a guest that boots");
  expect_usage_error(source + " --write", "--write is for a guest that boots");
  expect_usage_error(source + " --disk x", "--disk is for a guest that boots");
  expect_usage_error(source + " --boot --load 0x8000",
                     "--boot: a guest boots in real mode at 0x7c00");
  expect_usage_error(source + " --boot --mode long",
                     "--boot: a guest boots in real mode at 0x7c00");
  expect_usage_error(source + " --boot --hostile --json", "--hostile prints a table");
  expect_usage_error("/dev --boot", "the disk image /dev: it is no file");
  expect_usage_error(source + " --boot --write", "--write: the disk is assembled from a source");
  expect_usage_error("/nowhere/disk --boot",
                     "the disk image /nowhere/disk: it can't be read (No such");
  expect_usage_error(source + " --boot --disk /nowhere/d",
                     "the disk image /nowhere/d: it can't be read");
  expect_usage_error(file("short.bin", "\xF4") + " --boot",
                     "drive 0x80 is not bootable: its first sector ends in 00 00");
  expect_usage_error(source + " --boot --memory 64K", "a guest needs 1 MiB of memory");
}

TEST_F(BootCommandTest, ThereAreNumbersFor128HardDisks) {
  const std::string image = disk_image("disk.img", 20'000);
  std::string disks;
  for (int i = 0; i < 127; ++i) disks += " --disk " + image;
  run_json(image + " --boot --keys k" + disks, 0);
  expect_usage_error(image + " --boot --keys k" + disks + " --disk " + image,
                     "--disk: 129 hard disks: a BIOS has numbers for 128, 0x80 to 0xff");
}

TEST_F(BootCommandTest, StandardInputIsNoDisk) {
  expect_usage_error("- --boot", "a guest boots from a file, which is read as the guest reads it");
}

TEST_F(BootCommandTest, AnImageThatCantBeWrittenToIsRefusedFirst) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to any file";
  const std::string image = disk_image("disk.img", 2880);
  std::filesystem::permissions(folder_ / "disk.img", std::filesystem::perms::owner_read);
  expect_usage_error(image + " --boot --write --keys k", "--write: can't write to");
}

TEST_F(BootCommandTest, HostileIsATableOfStates) {
  const Result good = hltest("run --boot --hostile --keys k " + file("boot.asm", kSource));
  EXPECT_THAT(good.out, HasSubstr("DF set                            the same\n"));
  // It shows DL in BX, not on the screen.
  EXPECT_THAT(good.out, HasSubstr("the next drive                    the same\n"));
  EXPECT_THAT(good.out, HasSubstr("It does not depend on what the BIOS leaves.\n"));
  EXPECT_EQ(good.status, 0);

  // Reads a string through DS, which it does not set.
  const std::string source =
      "        org 0x7c00\n        cld\n        mov si, text\n        lodsb\n        mov ah, 0xe\n"
      "        int 0x10\n        cli\n        hlt\ntext:   db 'T'\n"
      "        times 510-($-$$) db 0\n        dw 0xaa55\n";
  const Result bad = hltest("run --boot --hostile " + file("ds.asm", source));
  EXPECT_THAT(bad.out, HasSubstr("DS = 5A5Ah                        another screen"));
  EXPECT_THAT(bad.out, HasSubstr("It depends on what the BIOS leaves in 1 of these.\n"));
  EXPECT_EQ(bad.status, 1);
  const Result endless = hltest("run --boot --hostile --timeout 100 " +
                                file("spin.asm",
                                     "        jmp short $+2\n        jmp $-2\n"
                                     "        times 510-($-$$) db 0\n        dw 0xaa55\n"));
  EXPECT_THAT(endless.out, HasSubstr("timed out"));
  EXPECT_THAT(endless.out,
              HasSubstr("\nIt does not end in the usual state, so the others were left out.\n"));
  EXPECT_EQ(endless.status, 1);
  // What else the options say holds in each state: this one wants 7 in SI, or the state's own.
  const std::string set =
      "        org 0x7c00\n        cmp si, 7\n        jne $\n        hlt\n"
      "        times 510-($-$$) db 0\n        dw 0xaa55\n";
  const Result given =
      hltest("run --boot --hostile --timeout 200 --set si=7 " + file("set.asm", set));
  EXPECT_THAT(given.out, HasSubstr("IF clear                          the same\n"));
  EXPECT_THAT(given.out, HasSubstr("It depends on what the BIOS leaves in 1 of these.\n"));
  expect_usage_error(file("boot.asm", kSource) + " --boot --hostile --write",
                     "--hostile boots many");
}

}  // namespace
