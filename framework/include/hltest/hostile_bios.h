#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include <hltest/machine.h>

namespace hltest {

/// A state that some BIOS leaves, in which a boot sector has to work all the same. A value.
struct BiosState {
  std::string name{};  ///< in words: `CS:IP = 07C0:0000`
  /// In place of what a BIOS usually leaves.
  StartRegisters registers{};
  /// The drive that it boots from.
  Drive drive = kFirstHardDisk;
  /// Changes the BIOS and the memory.
  std::function<void(Machine& machine)> prepare = [](Machine&) {};
};
/// The name.
void PrintTo(const BiosState& state, std::ostream* stream);

/// The states that real BIOSes leave, each with one difference to the usual one: segments, stack
/// and general registers with other values, DF set, IF clear, A20 closed, another drive, memory
/// full of CCh, less memory, no disk extensions, no A20 service, no memory map, a first read that
/// fails. For a guest that boots from `drive`; the first state is the usual one.
std::vector<BiosState> hostile_bios_states(Drive drive = kFirstHardDisk);

}  // namespace hltest
