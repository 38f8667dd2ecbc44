#include "kvm/cpuid.h"

#include <linux/kvm.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hltest::internal::kvm {
namespace {

bool answers(const CpuidEntry& entry, CpuidLeaf leaf) {
  const bool has_subleaves = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0;
  return entry.leaf.leaf == leaf.leaf && (!has_subleaves || entry.leaf.subleaf == leaf.subleaf);
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

std::vector<CpuidEntry> edited(const CpuidEdits& edits, std::vector<CpuidEntry> host) {
  for (const CpuidEdits::Edit& edit : edits.edits()) {
    auto entry = std::ranges::find_if(
        host, [&](const CpuidEntry& each) { return answers(each, edit.leaf); });
    if (entry == host.end()) {
      // A leaf with one subleaf that matters has others that matter too.
      const bool has_subleaves =
          edit.leaf.subleaf != 0 || std::ranges::any_of(host, [&](const CpuidEntry& each) {
            return each.leaf.leaf == edit.leaf.leaf;
          });
      host.push_back(
          {.leaf = edit.leaf,
           .flags = has_subleaves ? std::uint32_t{KVM_CPUID_FLAG_SIGNIFCANT_INDEX} : 0U});
      entry = host.end() - 1;
    }
    CpuidRegisters& registers = entry->registers;
    registers.eax = (registers.eax & edit.keep.eax) | edit.set.eax;
    registers.ebx = (registers.ebx & edit.keep.ebx) | edit.set.ebx;
    registers.ecx = (registers.ecx & edit.keep.ecx) | edit.set.ecx;
    registers.edx = (registers.edx & edit.keep.edx) | edit.set.edx;
  }
  return host;
}

CpuidRegisters answer(const std::vector<CpuidEntry>& entries, CpuidLeaf leaf) {
  const auto found =
      std::ranges::find_if(entries, [&](const CpuidEntry& each) { return answers(each, leaf); });
  return found != entries.end() ? found->registers : CpuidRegisters{};
}

std::optional<std::string> difference(const CpuidEdits& edits,
                                      const std::vector<CpuidEntry>& wanted,
                                      const std::vector<CpuidEntry>& actual) {
  for (const CpuidEdits::Edit& edit : edits.edits()) {
    const CpuidRegisters want = answer(wanted, edit.leaf);
    const CpuidRegisters shown = answer(actual, edit.leaf);
    const CpuidRegisters ignored = kept_by_kvm(edit.leaf);
    struct Answer {
      const char* name;
      std::uint32_t want;
      std::uint32_t got;
      std::uint32_t asked;  // the bits that the edit says something of
    };
    const CpuidRegisters& keep = edit.keep;
    const CpuidRegisters& set = edit.set;
    for (const Answer& each :
         std::array{Answer{"eax", want.eax, shown.eax, (~keep.eax | set.eax) & ~ignored.eax},
                    Answer{"ebx", want.ebx, shown.ebx, (~keep.ebx | set.ebx) & ~ignored.ebx},
                    Answer{"ecx", want.ecx, shown.ecx, (~keep.ecx | set.ecx) & ~ignored.ecx},
                    Answer{"edx", want.edx, shown.edx, (~keep.edx | set.edx) & ~ignored.edx}}) {
      const std::uint32_t wrong = (each.want ^ each.got) & each.asked;
      if (wrong == 0) continue;
      return fmt::format("CPUID leaf {:#x}.{} would have {:#x} of {}'s bits {:#x}, and not {:#x}",
                         edit.leaf.leaf, edit.leaf.subleaf, each.got & wrong, each.name, wrong,
                         each.want & wrong);
    }
  }
  return std::nullopt;
}

std::vector<CpuidEntry> without_apic(std::vector<CpuidEntry> host) {
  constexpr std::uint32_t kTscDeadline = 1U << 24U;
  CpuidEdits edits;
  edits.hide(kCpuidApic);
  edits.hide(kCpuidX2apic);
  edits.mask({1}, {.eax = ~0U, .ebx = ~0U, .ecx = ~kTscDeadline, .edx = ~0U});
  return edited(edits, std::move(host));
}

}  // namespace hltest::internal::kvm
