#pragma once

#include <fuzzer/FuzzedDataProvider.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/page_walk.h>
#include <hltest/x86/registers.h>

#include <cstdint>
#include <string_view>
#include <vector>

/// What the fuzzers share: promises, and registers and memory that are made of an input.
namespace fuzz {

/// Ends the program unless the promise holds, and so has libFuzzer keep the input.
void require(bool holds, std::string_view promise);

/// Requires printable ASCII without a line's end.
void require_one_line(std::string_view text);
/// Requires lines of it, each with its end.
void require_lines(std::string_view text);

/// Any number, but half of the time one below 64 KiB, where such an input's code and tables are.
std::uint64_t number(FuzzedDataProvider& input);

hltest::CpuMode cpu_mode(FuzzedDataProvider& input);

/// Any registers, also such as no processor can have.
hltest::Registers registers(FuzzedDataProvider& input);

/// Any paging mode, and a first table in or behind the pages of `page_tables`.
hltest::PagingContext paging_context(FuzzedDataProvider& input);

/// A few pages from physical address 0 on: zeros, and entries among them, of which many point to
/// these pages.
std::vector<std::uint8_t> page_tables(FuzzedDataProvider& input);

/// Memory that is a few bytes again and again, so that there is something wherever a register or an
/// entry points, but for a hole in it.
class Memory {
 public:
  explicit Memory(FuzzedDataProvider& input);

  /// Up to `count` bytes, which end at the hole.
  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t address, std::size_t count) const;

 private:
  std::uint64_t hole_;
  std::uint64_t hole_size_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace fuzz
