#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace hltest {

/// What CPUID is asked with: EAX, and ECX for the leaves that have subleaves (SDM vol. 2, CPUID).
struct CpuidLeaf {
  std::uint32_t leaf = 0;
  std::uint32_t subleaf = 0;
  friend auto operator<=>(const CpuidLeaf&, const CpuidLeaf&) = default;
};

/// What it answers.
struct CpuidRegisters {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  friend bool operator==(const CpuidRegisters&, const CpuidRegisters&) = default;
};

/// One feature flag: the bit of a register of a leaf.
struct CpuidFeature {
  CpuidLeaf leaf;
  std::uint32_t CpuidRegisters::*where;
  unsigned bit;
};

// SDM vol. 2, CPUID: tables 3-10 and 3-11, and leaves 7 and 80000001H.
inline constexpr CpuidFeature kCpuidFpu{{1}, &CpuidRegisters::edx, 0};
inline constexpr CpuidFeature kCpuidPse{{1}, &CpuidRegisters::edx, 3};
inline constexpr CpuidFeature kCpuidTsc{{1}, &CpuidRegisters::edx, 4};
inline constexpr CpuidFeature kCpuidMsr{{1}, &CpuidRegisters::edx, 5};
inline constexpr CpuidFeature kCpuidPae{{1}, &CpuidRegisters::edx, 6};
inline constexpr CpuidFeature kCpuidApic{{1}, &CpuidRegisters::edx, 9};
inline constexpr CpuidFeature kCpuidPge{{1}, &CpuidRegisters::edx, 13};
inline constexpr CpuidFeature kCpuidPat{{1}, &CpuidRegisters::edx, 16};
inline constexpr CpuidFeature kCpuidMmx{{1}, &CpuidRegisters::edx, 23};
inline constexpr CpuidFeature kCpuidFxsr{{1}, &CpuidRegisters::edx, 24};
inline constexpr CpuidFeature kCpuidSse{{1}, &CpuidRegisters::edx, 25};
inline constexpr CpuidFeature kCpuidSse2{{1}, &CpuidRegisters::edx, 26};
inline constexpr CpuidFeature kCpuidSse3{{1}, &CpuidRegisters::ecx, 0};
inline constexpr CpuidFeature kCpuidPcid{{1}, &CpuidRegisters::ecx, 17};
inline constexpr CpuidFeature kCpuidX2apic{{1}, &CpuidRegisters::ecx, 21};
inline constexpr CpuidFeature kCpuidXsave{{1}, &CpuidRegisters::ecx, 26};
inline constexpr CpuidFeature kCpuidAvx{{1}, &CpuidRegisters::ecx, 28};
inline constexpr CpuidFeature kCpuidRdrand{{1}, &CpuidRegisters::ecx, 30};
inline constexpr CpuidFeature kCpuidHypervisor{{1}, &CpuidRegisters::ecx, 31};
inline constexpr CpuidFeature kCpuidFsgsbase{{7}, &CpuidRegisters::ebx, 0};
inline constexpr CpuidFeature kCpuidSmep{{7}, &CpuidRegisters::ebx, 7};
inline constexpr CpuidFeature kCpuidSmap{{7}, &CpuidRegisters::ebx, 20};
inline constexpr CpuidFeature kCpuidUmip{{7}, &CpuidRegisters::ecx, 2};
inline constexpr CpuidFeature kCpuidLa57{{7}, &CpuidRegisters::ecx, 16};
inline constexpr CpuidFeature kCpuidSyscall{{0x8000'0001}, &CpuidRegisters::edx, 11};
inline constexpr CpuidFeature kCpuidNx{{0x8000'0001}, &CpuidRegisters::edx, 20};
inline constexpr CpuidFeature kCpuidPage1GiB{{0x8000'0001}, &CpuidRegisters::edx, 26};
inline constexpr CpuidFeature kCpuidLongMode{{0x8000'0001}, &CpuidRegisters::edx, 29};

/// What a test changes of the CPUID that its guest sees: the host's, without a local APIC. Only
/// CPUID's answers change: most instructions of a hidden feature work all the same. If KVM ignores
/// a change, `run` throws `SetupError` before the guest starts.
class CpuidEdits {
 public:
  /// Clears a feature's bit. Throws `SetupError` for a bit beyond 31.
  void hide(const CpuidFeature& feature);
  /// Sets a feature's bit, whether the host has the feature or not. Throws likewise.
  void show(const CpuidFeature& feature);
  /// The whole answer to a leaf, all four registers: what is not given is 0. (For a leaf without
  /// subleaves `subleaf` has no meaning.)
  void replace(CpuidLeaf leaf, const CpuidRegisters& registers);
  /// Keeps only these bits of the host's answer.
  void mask(CpuidLeaf leaf, const CpuidRegisters& keep);

  /// One change: what is kept of an answer, and the bits that are set in it.
  struct Edit {
    CpuidLeaf leaf;
    CpuidRegisters keep;
    CpuidRegisters set;
    friend bool operator==(const Edit&, const Edit&) = default;
  };
  /// In order.
  [[nodiscard]] const std::vector<Edit>& edits() const { return edits_; }
  [[nodiscard]] bool empty() const { return edits_.empty(); }
  /// The leaves that were changed: `leaf 0x1.0, leaf 0x7.0`.
  [[nodiscard]] std::string describe() const;

  friend bool operator==(const CpuidEdits&, const CpuidEdits&) = default;

 private:
  std::vector<Edit> edits_;
};

}  // namespace hltest
