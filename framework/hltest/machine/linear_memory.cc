#include <hltest/machine/linear_memory.h>

#include <algorithm>

namespace hltest {

std::optional<Gpa> physical_address(const kvm::Vcpu& vcpu, const Registers& registers, Gva gva) {
  return registers.cr0.pg() ? vcpu.translate(gva) : Gpa{gva.value()};
}

std::vector<std::uint8_t> read_linear(const kvm::Vcpu& vcpu, const GuestMemory& memory,
                                      const Registers& registers, Gva gva, std::size_t count) {
  constexpr std::uint64_t kPage = 4 * kKiB;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const Gva at = gva + bytes.size();
    const std::optional<Gpa> gpa = physical_address(vcpu, registers, at);
    if (!gpa.has_value() || !memory.is_backed(*gpa)) break;
    const std::uint64_t length =
        std::min<std::uint64_t>(count - bytes.size(), kPage - at.value() % kPage);
    const std::vector<std::uint8_t> part = memory.read_bytes(*gpa, length);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

}  // namespace hltest
