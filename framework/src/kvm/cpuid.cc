#include "kvm/cpuid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace hltest::kvm {
namespace {

constexpr CpuidRegisters kAll{.eax = ~0U, .ebx = ~0U, .ecx = ~0U, .edx = ~0U};

bool answers(const kvm_cpuid_entry2& entry, CpuidLeaf leaf) {
  const bool has_subleaves = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0;
  return entry.function == leaf.leaf && (!has_subleaves || entry.index == leaf.subleaf);
}

std::uint32_t bit_of(const CpuidFeature& feature) {
  if (feature.bit < 32) return 1U << feature.bit;
  throw std::invalid_argument(
      fmt::format("bit {} of CPUID leaf {:#x}: a register has 32", feature.bit, feature.leaf.leaf));
}

// Bits that follow the guest's own control registers and MSRs, which KVM keeps up to date by
// itself: MONITOR, OSXSAVE and APIC, OSPKE, and the sizes of the XSAVE area.
CpuidRegisters kept_by_kvm(CpuidLeaf leaf) {
  if (leaf.leaf == 1) return {.ecx = 1U << 3U | 1U << 27U, .edx = 1U << 9U};
  if (leaf.leaf == 7) return {.ecx = 1U << 4U};
  if (leaf.leaf == 0xD) return {.ebx = ~0U};
  return {};
}

}  // namespace

void Cpuid::hide(const CpuidFeature& feature) {
  Change change{.leaf = feature.leaf, .keep = kAll, .set = {}};
  change.keep.*feature.where &= ~bit_of(feature);
  changes_.push_back(change);
}

void Cpuid::show(const CpuidFeature& feature) {
  Change change{.leaf = feature.leaf, .keep = kAll, .set = {}};
  change.set.*feature.where |= bit_of(feature);
  changes_.push_back(change);
}

void Cpuid::replace(CpuidLeaf leaf, const CpuidRegisters& registers) {
  changes_.push_back({.leaf = leaf, .keep = {}, .set = registers});
}

void Cpuid::mask(CpuidLeaf leaf, const CpuidRegisters& keep) {
  changes_.push_back({.leaf = leaf, .keep = keep, .set = {}});
}

std::string Cpuid::describe_changes() const {
  std::string text;
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < std::min(changes_.size(), kMost); ++i) {
    text += fmt::format("{}leaf {:#x}.{}", i == 0 ? "" : ", ", changes_[i].leaf.leaf,
                        changes_[i].leaf.subleaf);
  }
  return changes_.size() > kMost ? text + ", ..." : text;
}

std::vector<kvm_cpuid_entry2> Cpuid::apply(std::vector<kvm_cpuid_entry2> host) const {
  for (const Change& change : changes_) {
    auto entry = std::ranges::find_if(
        host, [&](const kvm_cpuid_entry2& each) { return answers(each, change.leaf); });
    if (entry == host.end()) {
      // A leaf with one subleaf that matters has others that matter too.
      const bool has_subleaves =
          change.leaf.subleaf != 0 || std::ranges::any_of(host, [&](const kvm_cpuid_entry2& each) {
            return each.function == change.leaf.leaf;
          });
      host.push_back({.function = change.leaf.leaf,
                      .index = change.leaf.subleaf,
                      .flags = has_subleaves ? std::uint32_t{KVM_CPUID_FLAG_SIGNIFCANT_INDEX} : 0U,
                      .eax = 0,
                      .ebx = 0,
                      .ecx = 0,
                      .edx = 0,
                      .padding = {}});
      entry = host.end() - 1;
    }
    entry->eax = (entry->eax & change.keep.eax) | change.set.eax;
    entry->ebx = (entry->ebx & change.keep.ebx) | change.set.ebx;
    entry->ecx = (entry->ecx & change.keep.ecx) | change.set.ecx;
    entry->edx = (entry->edx & change.keep.edx) | change.set.edx;
  }
  return host;
}

std::optional<std::string> Cpuid::difference(const std::vector<kvm_cpuid_entry2>& wanted,
                                             const std::vector<kvm_cpuid_entry2>& actual) const {
  for (const Change& change : changes_) {
    const auto is_changed_leaf = [&](const kvm_cpuid_entry2& each) {
      return answers(each, change.leaf);
    };
    const auto want = std::ranges::find_if(wanted, is_changed_leaf);
    const auto got = std::ranges::find_if(actual, is_changed_leaf);
    if (want == wanted.end()) continue;
    const kvm_cpuid_entry2 shown = got == actual.end() ? kvm_cpuid_entry2{} : *got;
    const CpuidRegisters ignored = kept_by_kvm(change.leaf);
    struct Answer {
      const char* name;
      std::uint32_t want;
      std::uint32_t got;
      std::uint32_t asked;  // the bits that the change says something of
    };
    const CpuidRegisters& keep = change.keep;
    const CpuidRegisters& set = change.set;
    for (const Answer& each :
         std::array{Answer{"eax", want->eax, shown.eax, (~keep.eax | set.eax) & ~ignored.eax},
                    Answer{"ebx", want->ebx, shown.ebx, (~keep.ebx | set.ebx) & ~ignored.ebx},
                    Answer{"ecx", want->ecx, shown.ecx, (~keep.ecx | set.ecx) & ~ignored.ecx},
                    Answer{"edx", want->edx, shown.edx, (~keep.edx | set.edx) & ~ignored.edx}}) {
      const std::uint32_t wrong = (each.want ^ each.got) & each.asked;
      if (wrong == 0) continue;
      return fmt::format("CPUID leaf {:#x}.{} would have {:#x} of {}'s bits {:#x}, and not {:#x}",
                         change.leaf.leaf, change.leaf.subleaf, each.got & wrong, each.name, wrong,
                         each.want & wrong);
    }
  }
  return std::nullopt;
}

}  // namespace hltest::kvm
