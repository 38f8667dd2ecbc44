// The VGA: its registers, and what a guest that boots shows with them.
#include "devices/vga.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hltest/hltest.h>

#include "../boot_sector.h"
#include "wired.h"

namespace hltest {
namespace {

using internal::Vga;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class VgaTest : public ::testing::Test {
 protected:
  void out(Port port, std::uint64_t value, std::uint8_t size = 1) { wired_.out(port, value, size); }
  std::uint64_t in(Port port) { return wired_.in(port); }

  Vga vga_;
  internal::Wired wired_{vga_};
};

TEST_F(VgaTest, IndexedRegistersAreRead) {
  for (const Port port : std::vector<Port>{0x3C4, 0x3CE, 0x3D4}) {
    out(port, 2);
    out(port + 1, 5);
    EXPECT_EQ(in(port), 2U) << port;
    EXPECT_EQ(in(port + 1), 5U) << port;
    out(port, 3);
    out(port + 1, 7);
    EXPECT_EQ(in(port + 1), 7U) << port;
    out(port, 2);
    EXPECT_EQ(in(port + 1), 5U) << port;
  }
}

// A read of 3DAh makes the next write to 3C0h an index.
TEST_F(VgaTest, ThePaletteTakesIndexAndDataInTurn) {
  out(0x3C0, 0x26);
  out(0x3C0, 0x11);
  out(0x3C0, 0x27);
  in(0x3DA);
  out(0x3C0, 0x26);
  EXPECT_EQ(in(0x3C0), 6U) << "bit 5 is none of the index";
  EXPECT_EQ(in(0x3C1), 0x11U);
  EXPECT_EQ(vga_.attribute(6), 0x11);
}

TEST_F(VgaTest, TheColoursAdvance) {
  out(0x3C8, 0xFF);
  for (const std::uint64_t component : std::vector<std::uint64_t>{1, 2, 0x43, 4, 5, 6}) {
    out(0x3C9, component);
  }
  EXPECT_EQ(in(0x3C8), 1U);
  out(0x3C7, 0xFF);
  for (const std::uint64_t component : std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}) {
    EXPECT_EQ(in(0x3C9), component) << "six bits, and after the last colour the first";
  }
}

TEST_F(VgaTest, OtherRegisters) {
  out(0x3C2, 0xE3);
  EXPECT_EQ(in(0x3CC), 0xE3U);
  out(0x3C6, 0x0F);
  EXPECT_EQ(in(0x3C6), 0x0FU);
  EXPECT_NE(in(0x3DA), in(0x3DA)) << "the retrace comes and goes";
}

TEST_F(VgaTest, GoesOnFromASavedState) {
  vga_.set_mode(*internal::video_mode(0x12), false);
  vga_.set_colour(7, {1, 2, 3});
  vga_.pixels()[640 * 480 - 1] = 9;
  vga_.text()[80 * 30 * 2 - 2] = 'x';
  const std::vector<std::uint8_t> saved = vga_.save();
  Vga other;
  other.restore(saved);
  const internal::Display display = other.display();
  EXPECT_EQ(display.mode->number, 0x12);
  EXPECT_EQ(display.rows, 30U);
  EXPECT_EQ(display.pixels.back(), 9);
  EXPECT_EQ(display.text[80 * 30 * 2 - 2], 'x');
  EXPECT_EQ(other.colour(7), (Vga::Colour{1, 2, 3}));
  other.restore(Vga{}.save());
  EXPECT_EQ(other.display().mode->number, 3);
  EXPECT_TRUE(other.display().pixels.empty());
}

class ShownTest : public BootSectorTest {
 protected:
  Outcome run_code(const std::vector<std::uint8_t>& code) {
    return run(Disk::of_bytes(boot_sector(code)));
  }
};

// mov ax, 13h; int 10h; mov ax, 0E68h; mov bx, 7; int 10h; mov ax, 0C2Ah; mov cx, 3; mov dx, 1;
// int 10h; push A000h; pop es; mov byte [es:0], 9; cli; hlt
TEST_F(ShownTest, PixelsAndTextOfMode13h) {
  const Outcome outcome =
      run_code({0xB8, 0x13, 0x00, 0xCD, 0x10, 0xB8, 0x68, 0x0E, 0xBB, 7, 0,    0xCD,
                0x10, 0xB8, 0x2A, 0x0C, 0xB9, 3,    0,    0xBA, 1,    0, 0xCD, 0x10,
                0x68, 0x00, 0xA0, 0x07, 0x26, 0xC6, 0x06, 0,    0,    9, 0xFA, 0xF4});
  const Picture picture = outcome.picture();
  EXPECT_EQ(picture.width, 320U);
  EXPECT_EQ(picture.height, 200U);
  EXPECT_EQ(picture.at(3, 1), 0x2A);
  EXPECT_EQ(picture.at(0, 0), 9);
  EXPECT_EQ(picture.at(319, 199), 0);
  EXPECT_THAT(
      [&] { static_cast<void>(picture.at(320, 0)); },
      ThrowsMessage<SetupError>("pixel (320, 0): the picture has 320 columns and 200 rows"));
  EXPECT_THROW(static_cast<void>(picture.at(0, 200)), SetupError);
  EXPECT_THAT(outcome, ShowsText(0, "h"));
  EXPECT_THAT(outcome, Printed("h"));
  const Screen screen = outcome.screen();
  EXPECT_EQ(screen.rows.size(), 25U);
  EXPECT_EQ(screen.attributes.at(0).size(), 40U);
  EXPECT_EQ(screen.attributes.at(0).at(0), 7);
}

// mov ax, 12h; int 10h; mov ax, 0C0Eh; mov cx, 639; mov dx, 479; int 10h; mov ax, 0200h;
// xor bx, bx; mov dx, 1D00h; int 10h; mov ax, 0E79h; int 10h; cli; hlt
TEST_F(ShownTest, PixelsAndTextOfMode12h) {
  const Outcome outcome =
      run_code({0xB8, 0x12, 0x00, 0xCD, 0x10, 0xB8, 0x0E, 0x0C, 0xB9, 0x7F, 0x02,
                0xBA, 0xDF, 0x01, 0xCD, 0x10, 0xB8, 0x00, 0x02, 0x31, 0xDB, 0xBA,
                0x00, 0x1D, 0xCD, 0x10, 0xB8, 0x79, 0x0E, 0xCD, 0x10, 0xFA, 0xF4});
  EXPECT_EQ(outcome.picture().at(639, 479), 0x0E);
  EXPECT_EQ(outcome.picture().pixels.size(), 640U * 480);
  EXPECT_EQ(outcome.screen().rows.at(29), "y");
  EXPECT_EQ(outcome.screen().cursor, (Screen::Place{.row = 29, .column = 1}));
  EXPECT_THAT(diagnose(outcome).screen.value().rows.at(29), "y");
}

// mov ax, 4; int 10h; mov ax, 0C03h; mov cx, 1; mov dx, 1; int 10h; cli; hlt
TEST_F(ShownTest, PixelsOfTheCga) {
  const Outcome outcome = run_code(
      {0xB8, 4, 0, 0xCD, 0x10, 0xB8, 3, 0x0C, 0xB9, 1, 0, 0xBA, 1, 0, 0xCD, 0x10, 0xFA, 0xF4});
  EXPECT_EQ(outcome.picture().at(1, 1), 3);
  EXPECT_EQ(outcome.picture().at(0, 1), 0);
  EXPECT_EQ(outcome.picture().at(2, 1), 0);
}

// mov ax, 1; int 10h; mov ax, 0200h; mov dx, 0120h; int 10h; mov ax, 0E6Fh; int 10h; cli; hlt
TEST_F(ShownTest, FortyColumns) {
  const Outcome outcome =
      run_code({0xB8, 1,    0,    0xCD, 0x10, 0xB8, 0,    2,    0x31, 0xDB, 0xBA,
                0x27, 0x01, 0xCD, 0x10, 0xB8, 0x6F, 0x0E, 0xCD, 0x10, 0xFA, 0xF4});
  EXPECT_EQ(outcome.screen().rows.at(1), std::string(39, ' ') + "o");
  EXPECT_EQ(outcome.screen().cursor, (Screen::Place{.row = 2, .column = 0}));
}

// mov dx, 3D4h; mov ax, 010Eh; out dx, ax; mov ax, 430Fh; out dx, ax (the cursor: cell 143h);
// mov ax, 000Ch; out dx, ax; mov ax, 500Dh; out dx, ax (the start: cell 50h);
// push B800h; pop ds; mov byte [160], 'z'; cli; hlt
TEST_F(ShownTest, TheCrtControllerDecides) {
  const Outcome outcome = run_code({0xBA, 0xD4, 0x03, 0xB8, 0x0E, 0x01, 0xEF, 0xB8, 0x0F, 0x43,
                                    0xEF, 0xB8, 0x0C, 0x00, 0xEF, 0xB8, 0x0D, 0x50, 0xEF, 0x68,
                                    0x00, 0xB8, 0x1F, 0xC6, 0x06, 0xA0, 0x00, 'z',  0xFA, 0xF4});
  EXPECT_EQ(outcome.screen().rows.at(0), "z");
  EXPECT_EQ(outcome.screen().cursor, (Screen::Place{.row = 3, .column = 3}));
}

// mov ax, 1112h; int 10h; mov ax, 0200h; xor bx, bx; mov dx, 3100h; int 10h; mov ax, 0E65h;
// int 10h; cli; hlt
TEST_F(ShownTest, FiftyRows) {
  const Outcome outcome =
      run_code({0xB8, 0x12, 0x11, 0xCD, 0x10, 0xB8, 0x00, 0x02, 0x31, 0xDB, 0xBA,
                0x00, 0x31, 0xCD, 0x10, 0xB8, 0x65, 0x0E, 0xCD, 0x10, 0xFA, 0xF4});
  EXPECT_EQ(outcome.screen().rows.size(), 50U);
  EXPECT_EQ(outcome.screen().rows.at(49), "e");
}

// mov ax, 7; int 10h; mov ax, 0E6Dh; int 10h; cli; hlt
TEST_F(ShownTest, TheMonochromeMode) {
  const Outcome outcome =
      run_code({0xB8, 7, 0, 0xCD, 0x10, 0xB8, 0x6D, 0x0E, 0xCD, 0x10, 0xFA, 0xF4});
  EXPECT_EQ(outcome.screen().rows.at(0), "m");
}

TEST_F(ShownTest, ATextModeHasNoPicture) {
  const Outcome outcome = run_code({0xFA, 0xF4});
  EXPECT_THAT([&] { static_cast<void>(outcome.picture()); },
              ThrowsMessage<SetupError>(HasSubstr("ended in mode 0x3, a text mode: see screen()")));
}

TEST_F(RealModeTest, AGuestThatDidNotBootHasNoPicture) {
  const Outcome outcome = run(RealModeImage{"hlt", {0xF4}});
  EXPECT_THAT([&] { static_cast<void>(outcome.picture()); },
              ThrowsMessage<SetupError>("picture(): only a guest that booted has a VGA"));
}

}  // namespace
}  // namespace hltest
