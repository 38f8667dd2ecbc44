#include <hltest/error.h>
#include <hltest/x86/cpuid.h>

#include <fmt/format.h>

#include <algorithm>

namespace hltest {
namespace {

constexpr CpuidRegisters kAll{.eax = ~0U, .ebx = ~0U, .ecx = ~0U, .edx = ~0U};

std::uint32_t bit_of(const CpuidFeature& feature) {
  if (feature.bit < 32) return 1U << feature.bit;
  throw SetupError(
      fmt::format("bit {} of CPUID leaf {:#x}: a register has 32", feature.bit, feature.leaf.leaf));
}

}  // namespace

void CpuidEdits::hide(const CpuidFeature& feature) {
  Edit edit{.leaf = feature.leaf, .keep = kAll, .set = {}};
  edit.keep.*feature.where &= ~bit_of(feature);
  edits_.push_back(edit);
}

void CpuidEdits::show(const CpuidFeature& feature) {
  Edit edit{.leaf = feature.leaf, .keep = kAll, .set = {}};
  edit.set.*feature.where |= bit_of(feature);
  edits_.push_back(edit);
}

void CpuidEdits::replace(CpuidLeaf leaf, const CpuidRegisters& registers) {
  edits_.push_back({.leaf = leaf, .keep = {}, .set = registers});
}

void CpuidEdits::mask(CpuidLeaf leaf, const CpuidRegisters& keep) {
  edits_.push_back({.leaf = leaf, .keep = keep, .set = {}});
}

std::string CpuidEdits::describe() const {
  std::string text;
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < std::min(edits_.size(), kMost); ++i) {
    text += fmt::format("{}leaf {:#x}.{}", i == 0 ? "" : ", ", edits_[i].leaf.leaf,
                        edits_[i].leaf.subleaf);
  }
  return edits_.size() > kMost ? text + ", ..." : text;
}

}  // namespace hltest
