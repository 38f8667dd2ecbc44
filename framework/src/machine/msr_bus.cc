#include "machine/msr_bus.h"

#include <fmt/format.h>

#include <stdexcept>

namespace hltest {

std::string to_string(const MsrAccess& access) {
  return fmt::format("{} {:#x}: {:#x}{}", access.direction == Direction::kIn ? "rdmsr" : "wrmsr",
                     static_cast<std::uint32_t>(access.msr), access.value,
                     access.handled ? "" : " (#GP)");
}

void MsrBus::check_room(Msr msr) const {
  constexpr std::size_t kMost = 16;  // ranges in struct kvm_msr_filter
  const auto index = static_cast<std::uint32_t>(msr);
  if (index >= 0x800 && index <= 0x8FF) {
    throw std::invalid_argument(fmt::format(
        "no handler can serve {}: KVM never leaves the x2APIC's MSRs (0x800 to 0x8ff) to others",
        to_string(msr)));
  }
  if (readers_.size() + writers_.size() < kMost) return;
  throw std::invalid_argument(
      fmt::format("no room for a handler of {}: a VM has room for {} (reads and writes count each)",
                  to_string(msr), kMost));
}

void MsrBus::on_read(Msr msr, std::uint64_t value) {
  on_read(msr, [value](const MsrAccess& /*access*/) { return value; });
}

void MsrBus::on_read(Msr msr, Reader reader) {
  if (reader == nullptr) {
    throw std::invalid_argument(fmt::format("on_read({}): the function is empty", to_string(msr)));
  }
  if (!readers_.contains(msr)) check_room(msr);
  readers_.insert_or_assign(msr, std::make_shared<const Reader>(std::move(reader)));
}

void MsrBus::on_write(Msr msr, Writer writer) {
  if (writer == nullptr) {
    throw std::invalid_argument(fmt::format("on_write({}): the function is empty", to_string(msr)));
  }
  if (!writers_.contains(msr)) check_room(msr);
  writers_.insert_or_assign(msr, std::make_shared<const Writer>(std::move(writer)));
}

MsrAccess MsrBus::access(MsrAccess access) const {
  if (access.direction == Direction::kIn) {
    const auto reader = readers_.find(access.msr);
    access.handled = reader != readers_.end();
    if (access.handled) {
      const std::shared_ptr<const Reader> called = reader->second;
      access.value = (*called)(access);
    }
    return access;
  }
  const auto writer = writers_.find(access.msr);
  access.handled = writer != writers_.end();
  if (access.handled) {
    const std::shared_ptr<const Writer> called = writer->second;
    (*called)(access);
  }
  return access;
}

std::vector<kvm::Vm::ServedMsr> MsrBus::served() const {
  std::vector<kvm::Vm::ServedMsr> served;
  for (const auto& [msr, reader] : readers_) {
    served.push_back({.index = static_cast<std::uint32_t>(msr), .is_write = false});
  }
  for (const auto& [msr, writer] : writers_) {
    served.push_back({.index = static_cast<std::uint32_t>(msr), .is_write = true});
  }
  return served;
}

}  // namespace hltest
