#include "kvm/system.h"
#include "kvm/entries.h"
#include "kvm/error.h"
#include "kvm/ioctl.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hltest::internal::kvm {
namespace {

constexpr const char* kDevice = "/dev/kvm";

std::string remedy_for_open(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "this host has no KVM: load kvm_intel or kvm_amd, enable virtualisation in the "
             "firmware, or turn on nested virtualisation where this is a virtual machine";
    case EACCES:
    case EPERM:
      return "this user may not open it: add the user to the group that owns it "
             "(usermod -aG kvm USER, then log in again), or run as root";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise `ulimit -n`";
    default:
      return "check the device with `ls -l /dev/kvm`";
  }
}

UniqueFd open_device() {
  for (;;) {
    const int fd = posix::open(kDevice, O_RDWR | O_CLOEXEC);
    if (fd >= 0) return UniqueFd{fd};
    if (errno == EINTR) continue;
    const int error_number = errno;
    throw KvmUnavailable(
        fmt::format("{}; {}", describe_failure(fmt::format("open {}", kDevice), error_number),
                    remedy_for_open(error_number)));
  }
}

}  // namespace

System::System() : fd_(open_device()) {
  int version = 0;
  try {
    version = call(fd_, kGetApiVersion, 0);
  } catch (const HostError& error) {
    throw KvmUnavailable(fmt::format("{}; {} is not KVM's device", error.what(), kDevice));
  }
  if (version != KVM_API_VERSION) {
    throw KvmUnavailable(fmt::format(
        "{} speaks KVM API version {}, and hltest version {}; use a Linux kernel from 2.6.22 on",
        kDevice, version, KVM_API_VERSION));
  }
}

std::vector<CpuidEntry> System::supported_cpuid() const {
  // The kernel does not tell how many there are: it says E2BIG until there is room.
  constexpr std::uint32_t kMost = 4096;
  for (std::uint32_t room = 128;; room *= 2) {
    Entries<CpuidHeader, kvm_cpuid_entry2> raw{room};
    try {
      raw.call(fd_, kGetSupportedCpuid, fmt::format("room for {} entries", room));
    } catch (const HostError& error) {
      if (error.error_number() == E2BIG && room < kMost) continue;
      throw;
    }
    std::vector<CpuidEntry> entries;
    for (const kvm_cpuid_entry2& entry : raw.entries()) entries.push_back(from_kvm(entry));
    return entries;
  }
}

std::vector<Msr> System::msr_index_list() const {
  constexpr std::size_t kRoom = 1024;
  Entries<MsrListHeader, std::uint32_t> raw{kRoom};
  raw.call(fd_, kGetMsrIndexList, fmt::format("room for {}", kRoom));
  std::vector<Msr> msrs;
  for (const std::uint32_t index : raw.entries()) msrs.push_back(Msr{index});
  return msrs;
}

Vm System::create_vm() const {
  const auto vcpu_mmap_size = static_cast<std::size_t>(call(fd_, kGetVcpuMmapSize, 0));
  try {
    return Vm{UniqueFd{call(fd_, kCreateVm, 0, "machine type 0")}, vcpu_mmap_size};
  } catch (const HostError& error) {
    throw unavailable_because(error);
  }
}

}  // namespace hltest::internal::kvm
