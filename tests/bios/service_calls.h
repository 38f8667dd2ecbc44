#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oracle.h"

namespace hltest::oracle {

/// What of a call's results is not compared: `registers` are names such as "ah cx flags".
struct Exclusion {
  std::string registers{};
  std::string why{};
};

/// One call of a service, with the registers it is made with.
struct Call {
  static constexpr std::uint16_t kTableSegment = 0x1000;
  static constexpr std::uint16_t kBufferSegment = 0x3000;

  std::string what{};
  std::uint8_t vector = 0;
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  std::uint32_t esi = 0;
  std::uint32_t edi = 0;
  std::uint32_t ebp = 0;
  std::uint16_t es = kBufferSegment;
  std::uint16_t ds = kTableSegment;
  std::vector<Exclusion> excluded{};
  /// Bits 16 to 31 of the general registers: services of 16 bits must keep them.
  std::uint32_t upper = 0x5A5A0000;
};

/// What a guest calls, with bytes that it finds at `kTableSegment`:`kData`.
struct CallTable {
  static constexpr std::uint16_t kData = 0x1C00;

  std::vector<Call> calls{};
  std::vector<std::uint8_t> data{};
  Drive boot = kFirstHardDisk;
  /// With the flags clear only.
  bool is_made_once = false;
  /// Disks beside the one that it boots from.
  std::map<Drive, Disk> disks{};
  /// Of the buffer and the table.
  std::vector<ExcludedMemory> excluded_memory{};
};

/// The registers after a call.
struct Returned {
  std::uint16_t es, ds;
  std::uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
  std::uint16_t flags, vector;
};

/// Makes every call of a table in hltest and in QEMU with SeaBIOS: the whole table with the
/// arithmetic flags clear, then once more with all of them set.
class ServiceOracleTest : public OracleTest {
 protected:
  /// Expects the registers after each call, the buffer at `kBufferSegment`, the table and whatever
  /// `compare` does to be alike.
  void compare_calls(const CallTable& table);

  /// What the calls returned, in order.
  std::vector<Returned> in_hltest_{};
  std::vector<Returned> in_qemu_{};
};

}  // namespace hltest::oracle
