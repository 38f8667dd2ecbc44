#pragma once

#include <functional>
#include <ostream>

#include "hand_made_guest.h"

/// One row of a table of deliveries: of #UD through a gate to 0x08:kHandler, in a guest whose
/// linear addresses are physical ones, two pages with fewer rights.
struct DeliveryCase {
  static constexpr std::uint64_t kReadOnlyPage = 0x6000;
  static constexpr std::uint64_t kNoExecutePage = 0xC000;
  static constexpr std::uint64_t kHandler = 0xA000;

  const char* name;
  bool is_64_bit;
  std::function<void(HandMadeGuest&)> arrange;
  const char* obstacle;  ///< its end; empty: it has none

  friend std::ostream& operator<<(std::ostream& stream, const DeliveryCase& each) {
    return stream << each.name;
  }
};

void expect_obstacle(const DeliveryCase& each);

/// Arranges a gate for #UD.
std::function<void(HandMadeGuest&)> gate(const hltest::Descriptor& descriptor);
/// Arranges a gate to this code at 0x30, and the CPL.
std::function<void(HandMadeGuest&)> handler_in(const hltest::Descriptor& code, unsigned cpl = 0);
