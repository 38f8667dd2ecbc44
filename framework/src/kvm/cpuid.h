#pragma once

#include <linux/kvm.h>

#include <optional>
#include <string>
#include <vector>

#include <hltest/x86/cpuid.h>

namespace hltest::kvm {

/// What CPUID shows a guest: what the host's KVM can give one, with the test's changes. It is only
/// what the guest is told: most instructions of a hidden feature work all the same. A KVM that does
/// not show a guest the change is told of before the guest runs.
class Cpuid {
 public:
  /// Clears a feature's bit. Throws std::invalid_argument for a bit beyond 31.
  void hide(const CpuidFeature& feature);
  /// Sets a feature's bit, whether the host has the feature or not. Throws likewise.
  void show(const CpuidFeature& feature);
  /// The whole answer to a leaf, all four registers: what is not given is 0. (For a leaf without
  /// subleaves `subleaf` has no meaning.)
  void replace(CpuidLeaf leaf, const CpuidRegisters& registers);
  /// Keeps only these bits of the host's answer.
  void mask(CpuidLeaf leaf, const CpuidRegisters& keep);

  [[nodiscard]] bool is_changed() const { return !changes_.empty(); }
  /// The leaves that were changed: `leaf 0x1.0, leaf 0x7.0`.
  [[nodiscard]] std::string describe_changes() const;
  /// `host`, changed. A leaf that the host has not is added.
  [[nodiscard]] std::vector<kvm_cpuid_entry2> apply(std::vector<kvm_cpuid_entry2> host) const;
  /// What the guest would see of `wanted` that is not as wanted, in words; nothing where all is.
  /// `actual` is what KVM made of it. (There are KVMs that take a change and don't show it.)
  [[nodiscard]] std::optional<std::string> difference(
      const std::vector<kvm_cpuid_entry2>& wanted,
      const std::vector<kvm_cpuid_entry2>& actual) const;

 private:
  struct Change {
    CpuidLeaf leaf;
    CpuidRegisters keep;
    CpuidRegisters set;
  };
  std::vector<Change> changes_;  // in order
};

}  // namespace hltest::kvm
