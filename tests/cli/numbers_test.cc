// Numbers of the command line: every unit, every way to write one, and the largest of each option.
#include "command_fixture.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class NumbersTest : public RunTest {
 protected:
  // The stack pointer of a 32-bit guest is 16 below the end of its memory.
  std::string stack_pointer(const std::string& memory) {
    return run_json(file("halt.bin", "\xF4") + " --mode protected --memory " + memory,
                    0)["registers"]["rsp"];
  }
  json registers(const std::string& arguments) {
    return run_json(file("halt.bin", "\xF4") + " " + arguments, 0)["registers"];
  }
};

TEST_F(NumbersTest, SizesHaveUnits) {
  EXPECT_EQ(stack_pointer("65536"), "0xfff0");
  EXPECT_EQ(stack_pointer("0x10000"), "0xfff0");
  EXPECT_EQ(stack_pointer("0X10000"), "0xfff0");
  for (const char* const size : {"64K", "64KiB", "0x40K", "0x40KiB"}) {
    EXPECT_EQ(stack_pointer(size), "0xfff0") << size;
  }
  for (const char* const size : {"2M", "2MiB", "2048K", "2048KiB"}) {
    EXPECT_EQ(stack_pointer(size), "0x1ffff0") << size;
  }
  for (const char* const size : {"1G", "1GiB", "1024M", "1024MiB"}) {
    EXPECT_EQ(stack_pointer(size), "0x3ffffff0") << size;
  }
}

TEST_F(NumbersTest, WhatIsNoSize) {
  const std::string image = file("halt.bin", "\xF4");
  // 2^64 and just below it in each unit.
  for (const char* const size :
       {"64KB", "64k", "64Ki", "64iB", "K", "KiB", "-4K", "64 K", "4KK", "18014398509481984K",
        "17592186044416M", "17179869184G", "17179869184GiB", "18446744073709551616"}) {
    expect_usage_error(image + " --memory '" + size + "'", "is not a size of at most 64 bits");
  }
  for (const char* const size : {"18014398509481980K", "17592186044415M", "17179869183G"}) {
    expect_usage_error(image + " --memory " + size, "is beyond this host");
  }
  expect_usage_error(image + " --memory 18014398509481983K", "has to be a multiple of 4 KiB");
}

TEST_F(NumbersTest, NumbersReachTo64Bits) {
  const auto rax = [this](const std::string& number) {
    return registers("--mode long --set rax=" + number)["rax"];
  };
  EXPECT_EQ(rax("18446744073709551615"), "0xffffffffffffffff");
  EXPECT_EQ(rax("0xFFFFFFFFFFFFFFFF"), "0xffffffffffffffff");
  EXPECT_EQ(rax("0XabcDEF"), "0xabcdef");
  EXPECT_EQ(rax("010"), "0xa") << "decimal";
  const std::string image = file("halt.bin", "\xF4");
  for (const char* const number :
       {"18446744073709551616", "0x10000000000000000", "-1", "+1", "0x", "1.5", " 1", "1 ", "ff"}) {
    expect_usage_error(image + " --set 'rax=" + number + "'", "is not a number of at most 64 bits");
  }
}

TEST_F(NumbersTest, TheLongestTimeoutIsADay) {
  const std::string image = file("halt.bin", "\xF4");
  EXPECT_EQ(run_json(image + " --timeout 86400000", 0)["outcome"], "halted");
  for (const char* const timeout : {"86400001", "9223372036854775807", "18446744073709551615"}) {
    expect_usage_error(image + " --timeout " + timeout, "it can be 1 ms to 24 hours");
  }
}

TEST_F(NumbersTest, PortsReachToFfff) {
  // mov dx, 0xFFFF; in al, dx; hlt
  const std::string image = file("in.bin", "\xBA\xFF\xFF\xEC\xF4");
  EXPECT_EQ(run_json(image + " --in 0xffff=5A", 0)["registers"]["rax"], "0x5a");
  expect_usage_error(image + " --in 65535=a5",
                     "is the port hexadecimal? Write 0x65535, or 0xffff for the decimal number");
  expect_usage_error(image + " --in 10=a5", "Write 0x10, or 0xa for the decimal number");
  expect_usage_error(image + " --in 0x10000=00", "0x10000 is too large: it can be 0xffff at most");
}

TEST_F(NumbersTest, BytesArePairsOfHexadecimalDigits) {
  const std::string image = file("halt.bin", "\xF4");
  for (const char* const bytes : {"1", "123", "1g", "0x12", "12 34", "-1"}) {
    expect_usage_error(image + " --in '0x60=" + bytes + "'", "are not bytes");
  }
  expect_usage_error(image + " --in 0x60=", "write it as PORT=HEXBYTES");
  expect_usage_error(image + " --in =12", "write it as PORT=HEXBYTES");
}

TEST_F(NumbersTest, TheLargestFileFillsTheMemory) {
  std::string code(4096, '\x90');
  code.front() = '\xF4';
  const std::string options = " --mode protected --load 0 --memory 4K";
  EXPECT_EQ(run_json(file("all.bin", code) + options, 0)["outcome"], "halted");
  expect_usage_error(file("more.bin", code + '\x90') + options,
                     "more.bin has 0x1001 bytes, more than the guest's memory, 0x1000");
}

TEST_F(NumbersTest, SourcesOfNasmByTheirNames) {
  for (const char* const name : {"x.asm", "x.nasm", "x.ASM", "x.Nasm"}) {
    EXPECT_EQ(run_json(file(name, "mov ax, 5\nhlt\n"), 0)["registers"]["rax"], "0x5") << name;
  }
}

TEST_F(NumbersTest, EachKeyThatABackslashWrites) {
  // Types a key to the console, and halts.
  const std::string source = file("key.asm",
                                  "        mov ah, 0\n        int 0x16\n        hlt\n"
                                  "        times 510-($-$$) db 0\n        dw 0xaa55\n");
  const auto key = [&](const char* keys) {
    const std::string rax =
        run_json(source + " --boot --keys '" + keys + "'", 0)["registers"]["rax"];
    return rax.substr(rax.size() - 2);
  };
  EXPECT_EQ(key("\\n"), "0d");
  EXPECT_EQ(key("\\b"), "08");
  EXPECT_EQ(key("\\t"), "09");
  EXPECT_EQ(key("\\e"), "1b");
  EXPECT_EQ(key("\\\\"), "5c");
  expect_usage_error(source + " --boot --keys 'a\\'",
                     "after a backslash n, b, t, e or a backslash");
  expect_usage_error(source + " --hostile", "--hostile is for a guest that boots");
  expect_usage_error(source + " --boot --entry 0x7c00", "a guest boots in real mode at 0x7c00");
}

}  // namespace
