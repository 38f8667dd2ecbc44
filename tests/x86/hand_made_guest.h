#pragma once

#include <hltest/x86/descriptor_table.h>
#include <hltest/x86/page_walk.h>
#include "x86/causes/fault_cause.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

/// What the causes look at, made by hand: registers, and 1 MiB in which linear addresses are
/// physical ones. It starts as flat 32-bit code at CPL 0.
struct HandMadeGuest {
  static constexpr std::uint64_t kGdt = 0x1000;
  static constexpr std::uint64_t kIdt = 0x2000;
  static constexpr std::uint64_t kTss = 0x5000;
  static constexpr std::uint64_t kStack = 0x8000;
  static constexpr std::uint64_t kCode = 0x9000;

  HandMadeGuest();

  hltest::Registers registers;
  std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(1U << 20U);
  hltest::PagingContext features{};  ///< what CPUID decides of it

  /// 64-bit code at CPL 0.
  void enter_64_bit();
  /// Code and stack of CPL 3, flat.
  void enter_cpl_3();
  void put(std::uint64_t address, std::uint64_t value, unsigned size);
  void put_code(const std::vector<std::uint8_t>& bytes);
  /// Into the GDT, whose limit stays.
  void put_descriptor(std::uint16_t selector, const hltest::Descriptor& descriptor);
  void put_gate(hltest::Vector vector, const hltest::Descriptor& gate);

  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t address, std::size_t count) const;
  [[nodiscard]] hltest::PageWalk walk(hltest::Gva gva) const;
  [[nodiscard]] std::string cause(hltest::Vector vector, std::optional<std::uint32_t> error_code,
                                  hltest::Gva address = {}) const;
};

/// One row of a table of causes.
struct CauseCase {
  const char* name;
  hltest::Vector vector;
  std::optional<std::uint32_t> error_code;
  std::vector<std::uint8_t> code;
  std::function<void(HandMadeGuest&)> arrange;
  std::string cause;  ///< the end of the cause; empty: it has none
  hltest::Gva address{};

  friend std::ostream& operator<<(std::ostream& stream, const CauseCase& each) {
    return stream << each.name;
  }
};

void expect_cause(const CauseCase& each);
