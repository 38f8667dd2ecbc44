#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <hltest/kvm/vcpu.h>
#include <hltest/machine/guest_memory.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// Where the linear address `gva` is, as the guest's page tables have it now; nothing where it is
/// not mapped.
std::optional<Gpa> physical_address(const kvm::Vcpu& vcpu, const Registers& registers, Gva gva);

/// The bytes from the linear address `gva` on, as the guest's page tables have it now; fewer than
/// `count` where a page is not mapped or not backed.
std::vector<std::uint8_t> read_linear(const kvm::Vcpu& vcpu, const GuestMemory& memory,
                                      const Registers& registers, Gva gva, std::size_t count);

}  // namespace hltest
