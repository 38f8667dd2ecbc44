#pragma once

#include <linux/kvm.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "kvm/cpuid.h"
#include "kvm/unique_fd.h"

namespace hltest::internal::kvm {

/// One ioctl of KVM's: its number, its name, and the type of what its argument points to.
/// A number whose size field is not that type's size does not compile: Debian 12's <linux/kvm.h>
/// has such numbers in C++, where structs that end in a flexible array come out too large.
template <typename Payload>
struct Request {
  consteval Request(const char* request_name, unsigned long request_number)
      : name(request_name), number(request_number) {
    if (_IOC_SIZE(request_number) != sizeof(Payload)) throw "the payload is not of this size";
  }
  const char* name;
  unsigned long number;
};

/// An ioctl whose argument is a number, or that has none.
template <>
struct Request<void> {
  consteval Request(const char* request_name, unsigned long request_number)
      : name(request_name), number(request_number) {
    if (_IOC_SIZE(request_number) != 0) throw "this ioctl has a payload";
  }
  const char* name;
  unsigned long number;
};

/// What <linux/kvm.h> puts before a flexible array of CPUID entries (struct kvm_cpuid2).
struct CpuidHeader {
  std::uint32_t nent;
  std::uint32_t padding;
};

/// What it puts before a flexible array of MSR entries (struct kvm_msrs).
struct MsrsHeader {
  std::uint32_t nmsrs;
  std::uint32_t padding;
};

/// What it puts before a flexible array of MSR numbers (struct kvm_msr_list).
struct MsrListHeader {
  std::uint32_t nmsrs;
};

/// What KVM_GET_XSAVE fills in (struct kvm_xsave): x87, SSE and AVX registers.
struct XsaveArea {
  std::array<std::uint32_t, 1024> region;
};

/// What it puts before the signal set (struct kvm_signal_mask).
struct SignalMaskHeader {
  std::uint32_t len;
};

inline constexpr Request<void> kGetApiVersion{"KVM_GET_API_VERSION", KVM_GET_API_VERSION};
inline constexpr Request<void> kGetVcpuMmapSize{"KVM_GET_VCPU_MMAP_SIZE", KVM_GET_VCPU_MMAP_SIZE};
inline constexpr Request<void> kCreateVm{"KVM_CREATE_VM", KVM_CREATE_VM};
inline constexpr Request<void> kSetTssAddr{"KVM_SET_TSS_ADDR", KVM_SET_TSS_ADDR};
inline constexpr Request<void> kCreateVcpu{"KVM_CREATE_VCPU", KVM_CREATE_VCPU};
inline constexpr Request<void> kRun{"KVM_RUN", KVM_RUN};
inline constexpr Request<kvm_userspace_memory_region> kSetUserMemoryRegion{
    "KVM_SET_USER_MEMORY_REGION", KVM_SET_USER_MEMORY_REGION};
inline constexpr Request<kvm_regs> kGetRegs{"KVM_GET_REGS", KVM_GET_REGS};
inline constexpr Request<kvm_regs> kSetRegs{"KVM_SET_REGS", KVM_SET_REGS};
inline constexpr Request<kvm_sregs> kGetSregs{"KVM_GET_SREGS", KVM_GET_SREGS};
inline constexpr Request<kvm_sregs> kSetSregs{"KVM_SET_SREGS", KVM_SET_SREGS};
inline constexpr Request<kvm_guest_debug> kSetGuestDebug{"KVM_SET_GUEST_DEBUG",
                                                         KVM_SET_GUEST_DEBUG};
inline constexpr Request<kvm_interrupt> kInterrupt{"KVM_INTERRUPT", KVM_INTERRUPT};
inline constexpr Request<void> kNmi{"KVM_NMI", KVM_NMI};
inline constexpr Request<kvm_vcpu_events> kGetVcpuEvents{"KVM_GET_VCPU_EVENTS",
                                                         KVM_GET_VCPU_EVENTS};
inline constexpr Request<kvm_vcpu_events> kSetVcpuEvents{"KVM_SET_VCPU_EVENTS",
                                                         KVM_SET_VCPU_EVENTS};
inline constexpr Request<kvm_enable_cap> kEnableCap{"KVM_ENABLE_CAP", KVM_ENABLE_CAP};
inline constexpr Request<kvm_msr_filter> kSetMsrFilter{"KVM_X86_SET_MSR_FILTER",
                                                       KVM_X86_SET_MSR_FILTER};
// Those whose header struct is wrong in C++; the numbers are those of the kernel's C ABI.
inline constexpr Request<CpuidHeader> kGetSupportedCpuid{"KVM_GET_SUPPORTED_CPUID",
                                                         _IOWR(KVMIO, 0x05, CpuidHeader)};
inline constexpr Request<CpuidHeader> kSetCpuid2{"KVM_SET_CPUID2", _IOW(KVMIO, 0x90, CpuidHeader)};
inline constexpr Request<CpuidHeader> kGetCpuid2{"KVM_GET_CPUID2", _IOWR(KVMIO, 0x91, CpuidHeader)};
inline constexpr Request<SignalMaskHeader> kSetSignalMask{"KVM_SET_SIGNAL_MASK",
                                                          _IOW(KVMIO, 0x8b, SignalMaskHeader)};
inline constexpr Request<MsrsHeader> kGetMsrs{"KVM_GET_MSRS", _IOWR(KVMIO, 0x88, MsrsHeader)};
inline constexpr Request<MsrsHeader> kSetMsrs{"KVM_SET_MSRS", _IOW(KVMIO, 0x89, MsrsHeader)};
inline constexpr Request<MsrListHeader> kGetMsrIndexList{"KVM_GET_MSR_INDEX_LIST",
                                                         _IOWR(KVMIO, 0x02, MsrListHeader)};
inline constexpr Request<XsaveArea> kGetXsave{"KVM_GET_XSAVE", _IOR(KVMIO, 0xa4, XsaveArea)};
inline constexpr Request<XsaveArea> kSetXsave{"KVM_SET_XSAVE", _IOW(KVMIO, 0xa5, XsaveArea)};
inline constexpr Request<kvm_debugregs> kGetDebugregs{"KVM_GET_DEBUGREGS", KVM_GET_DEBUGREGS};
inline constexpr Request<kvm_debugregs> kSetDebugregs{"KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS};
inline constexpr Request<kvm_xcrs> kGetXcrs{"KVM_GET_XCRS", KVM_GET_XCRS};
inline constexpr Request<kvm_xcrs> kSetXcrs{"KVM_SET_XCRS", KVM_SET_XCRS};
static_assert(kGetXsave.number == 0x9000'AEA4 && kSetXsave.number == 0x5000'AEA5);
static_assert(kGetMsrs.number == 0xC008'AE88 && kSetMsrs.number == 0x4008'AE89);
static_assert(kGetSupportedCpuid.number == 0xC008'AE05 && kSetCpuid2.number == 0x4008'AE90 &&
              kSetSignalMask.number == 0x4004'AE8B);

/// An answer of CPUID, from and to KVM's form.
CpuidEntry from_kvm(const kvm_cpuid_entry2& entry);
kvm_cpuid_entry2 to_kvm(const CpuidEntry& entry);

/// Issues the request again for as long as a signal interrupts it, and returns its result.
/// Throws `HostError` that names the request and, in parentheses, `detail`.
int call(const UniqueFd& fd, Request<void> request, std::uintptr_t argument,
         const std::string& detail = {});

/// The same, for `size` bytes at `payload` that start with what the request is declared with.
int call_raw(const UniqueFd& fd, const char* name, unsigned long number, void* payload,
             const std::string& detail);

template <typename Payload>
int call(const UniqueFd& fd, Request<Payload> request, Payload& payload,
         const std::string& detail = {}) {
  return call_raw(fd, request.name, request.number, &payload, detail);
}

}  // namespace hltest::internal::kvm
