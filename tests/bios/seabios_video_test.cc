// INT 10h in hltest and in SeaBIOS's VGA BIOS. What a call leaves on the screen is compared at the
// end, and read back by calls on the way.
#include <fmt/format.h>

#include "service_calls.h"

namespace hltest::oracle {
namespace {

class VideoOracleTest : public ServiceOracleTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  static constexpr std::uint8_t kVideo = 0x10;

  // Adds INT 10h.
  void call(const std::string& what, std::uint32_t eax, std::uint32_t ebx = 0,
            std::uint32_t ecx = 0, std::uint32_t edx = 0) {
    table_.calls.push_back(
        {.what = what, .vector = kVideo, .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx});
  }
  // Adds INT 10h, AH = 13h, with this text.
  void write_string(const std::string& what, const std::string& text, std::uint8_t al,
                    std::uint16_t bx, std::uint16_t dx) {
    const auto at = static_cast<std::uint16_t>(CallTable::kData + table_.data.size());
    const bool has_attributes = (al & 2U) != 0;
    const auto count = static_cast<std::uint16_t>(text.size() / (has_attributes ? 2 : 1));
    table_.data.insert(table_.data.end(), text.begin(), text.end());
    table_.calls.push_back({.what = what,
                            .vector = kVideo,
                            .eax = 0x1300U | al,
                            .ebx = bx,
                            .ecx = count,
                            .edx = dx,
                            .ebp = at,
                            .es = Call::kTableSegment});
  }
  void type(const std::string& text) {
    for (const char c : text) call("teletype", 0x0E00U | static_cast<unsigned char>(c), 0x0007);
  }
  void read_cursor(unsigned page = 0) { call("read the cursor", 0x0300, page << 8U); }
  void move_cursor(unsigned row, unsigned column, unsigned page = 0) {
    call("move the cursor", 0x0200, page << 8U, 0, row << 8U | column);
  }
  void read_cell(unsigned page = 0) { call("read the cell", 0x0800, page << 8U); }

  CallTable table_{};
};

TEST_F(VideoOracleTest, Teletype) {
  read_cursor();
  type("ab\bc\r\nd\n\a");
  read_cursor();
  move_cursor(3, 0);
  type("\b");
  read_cursor();
  move_cursor(2, 78);
  type("xyz");
  read_cursor();
  move_cursor(24, 79);
  type("q");
  read_cursor();
  move_cursor(24, 5);
  type("\n");
  read_cursor();
  call("another page's teletype", 0x0E70, 0x0107);
  read_cursor(0);
  read_cursor(1);
  type("\t\x1b\x7f");
  read_cursor();
  compare_calls(table_);
}

TEST_F(VideoOracleTest, CellsAndTheCursor) {
  move_cursor(1, 5);
  call("three characters", 0x0941, 0x004E, 3);
  read_cursor();
  read_cell();
  call("without attributes", 0x0A42, 0x0012, 1);
  read_cell();
  move_cursor(1, 78);
  call("across the end of the row", 0x0943, 0x001F, 4);
  move_cursor(24, 78);
  call("beyond the last cell", 0x0944, 0x002F, 4);
  call("none", 0x0945, 0x002F, 0);
  call("a control", 0x090A, 0x0007, 1);
  read_cell();
  move_cursor(24, 79);
  read_cell();
  move_cursor(25, 0);
  read_cursor();
  move_cursor(0, 80);
  read_cursor();
  move_cursor(5, 5, 1);
  call("on page 1", 0x0950, 0x0170, 2);
  read_cell(1);
  read_cursor(1);
  call("the cursor's shape", 0x0100, 0, 0x2000);
  read_cursor();
  call("another shape", 0x0100, 0, 0x0607);
  read_cursor();
  read_cursor(7);
  compare_calls(table_);
}

TEST_F(VideoOracleTest, Scrolling) {
  for (unsigned row = 0; row < 25; ++row) {
    move_cursor(row, row);
    call("a mark", 0x0941 + row, 0x0010 + row, 40);
  }
  call("up a line, in a window", 0x0601, 0x1700, 0x0102, 0x0620);
  call("down two lines, in a window", 0x0702, 0x2700, 0x0803, 0x0C30);
  call("more lines than the window has", 0x060A, 0x3700, 0x0E00, 0x1010);
  call("clear a window", 0x0600, 0x4700, 0x1220, 0x1430);
  call("a window beyond the screen", 0x0601, 0x5700, 0x1530, 0x20FF);
  call("a window upside down", 0x0601, 0x6700, 0x0505, 0x0404);
  call("all, down", 0x0701, 0x0700, 0x0000, 0x184F);
  call("all of one column", 0x0603, 0x7100, 0x0007, 0x1807);
  compare_calls(table_);
}

TEST_F(VideoOracleTest, Strings) {
  write_string("attribute in BL, cursor stays", "Hello", 0, 0x000A, 0x0203);
  read_cursor();
  write_string("attribute in BL, cursor moves", "World", 1, 0x000B, 0x0203);
  read_cursor();
  write_string("attributes in the string",
               "a\x1f"
               "b\x2f",
               2, 0x0007, 0x0400);
  read_cursor();
  write_string("the same, cursor moves",
               "c\x1f"
               "d\x2f",
               3, 0x0007, 0x0405);
  read_cursor();
  write_string("controls", "1\r\n2\b3\a4", 1, 0x0007, 0x064E);
  read_cursor();
  write_string("controls with attributes",
               "5\x1f\r\x2f\n\x3f"
               "6\x4f",
               3, 0x0007, 0x084E);
  read_cursor();
  write_string("across the end of the row", "wrap", 1, 0x0007, 0x0A4E);
  read_cursor();
  write_string("on page 1", "page", 1, 0x0130, 0x0101);
  read_cursor();
  read_cursor(1);
  write_string("nothing", "", 1, 0x0007, 0x0C00);
  read_cursor();
  table_.calls.back().excluded = {
      {"dx", "IBM's BIOS returns at once for no characters; SeaBIOS moves the cursor"}};
  // In white on black: IBM's BIOS and hltest fill the new row with the attribute of its first cell,
  // SeaBIOS always with 07h.
  write_string("at the last cell", "zz", 1, 0x0007, 0x184F);
  read_cursor();
  compare_calls(table_);
}

TEST_F(VideoOracleTest, ModesAndPages) {
  call("read the mode", 0x0F00, 0x5A00);
  call("page 2", 0x0502);
  call("read the mode", 0x0F00);
  type("p");
  read_cursor(2);
  read_cursor(0);
  call("page 9", 0x0509);
  call("read the mode", 0x0F00);
  call("page 0", 0x0500);
  type("k");
  call("mode 3, keep the screen", 0x0083);
  call("read the mode", 0x0F00);
  read_cursor();
  call("mode 1", 0x0001);
  call("read the mode", 0x0F00);
  type("40");
  call("mode 0Dh", 0x000D);
  call("read the mode", 0x0F00);
  call("mode 13h", 0x0013);
  call("read the mode", 0x0F00);
  call("a pixel", 0x0C2A, 0, 319, 199);
  call("read the pixel", 0x0D00, 0, 319, 199);
  call("an unknown mode", 0x007F);
  call("read the mode", 0x0F00);
  call("mode 3", 0x0003);
  call("read the mode", 0x0F00);
  call("the display's configuration", 0x1200, 0x0010);
  call("the display's type", 0x1A00);
  call("an unknown function", 0x5500);
  compare_calls(table_);
}

TEST_P(VideoOracleTest, Pixels) {
  constexpr auto kPlanes = "SeaBIOS writes all planes of a mode of two colours";
  const bool has_two_colours = GetParam() == 0x0F || GetParam() == 0x11;
  call("the mode", GetParam());
  call("read the mode", 0x0F00);
  for (const std::uint32_t colour : std::vector<std::uint32_t>{1, 3, 0x0E, 0x83}) {
    call(fmt::format("colour {:#x}", colour), 0x0C00 | colour, 0, 9, 3);
    call("read the pixel", 0x0D00, 0, 9, 3);
    if (has_two_colours) table_.calls.back().excluded = {{"al", kPlanes}};
  }
  call("its neighbour", 0x0D00, 0, 10, 3);
  type("\n\ra");
  read_cursor();
  move_cursor(1, 0);
  read_cell();
  if (has_two_colours) table_.calls.back().excluded = {{"ah", kPlanes}};
  call("mode 3", 0x0003);
  compare_calls(table_);
}

INSTANTIATE_TEST_SUITE_P(Modes, VideoOracleTest,
                         testing::Values(4, 5, 6, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12),
                         [](const auto& mode) { return fmt::format("Mode{:02X}h", mode.param); });

TEST_F(VideoOracleTest, Fonts) {
  struct Font {
    unsigned number;
    unsigned rows;
  };
  for (const Font& font : {Font{0x12, 50}, Font{0x11, 28}, Font{0x14, 25}}) {
    call(fmt::format("font {:#x}", font.number), 0x1100 | font.number);
    for (const unsigned row : {24U, font.rows - 1}) {
      move_cursor(row, 79);
      type("xy");
      read_cursor();
      table_.calls.back().excluded = {{"cx", "SeaBIOS sets the cursor's shape with the font"}};
    }
  }
  compare_calls(table_);
}

TEST_F(VideoOracleTest, Colours) {
  for (const unsigned colour : std::vector<unsigned>{0, 5, 7, 0x14, 0x2A, 0x3F}) {
    call("read a colour", 0x1015, colour);
  }
  call("set a colour", 0x1010, 9, 0x0203, 0x0100);
  call("read it", 0x1015, 9);
  for (unsigned i = 0; i < 16; ++i) call("read an attribute", 0x1007, i);
  call("set an attribute", 0x1000, 0x2106);
  call("read it", 0x1007, 6);
  call("set the border", 0x1001, 0x3300);
  call("read it", 0x1008);
  call("no blinking", 0x1003, 0);
  call("read the control", 0x1007, 0x10);
  call("blinking", 0x1003, 1);
  call("read the control", 0x1007, 0x10);
  compare_calls(table_);
}

}  // namespace
}  // namespace hltest::oracle
