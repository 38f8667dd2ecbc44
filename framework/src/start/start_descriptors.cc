#include <hltest/memory_layout.h>
#include <hltest/start_descriptors.h>

#include <fmt/format.h>

namespace hltest {
namespace {

constexpr std::uint16_t kMostSelector = 0xFFF;  // a table has one page
constexpr std::uint16_t kIndex = 0xFFF8;

DescriptorFormat format_of(CpuMode mode) {
  return is_ia32e(mode) ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
}

DescriptorTableBuilder start_gdt(DescriptorFormat format) {
  const Gva tss{(kSystemRegion + kTssOffset).value()};
  DescriptorTableBuilder gdt{format};
  gdt.set(kCode32Selector, Code32{});
  gdt.set(kDataSelector, Data32{});
  gdt.set(kCode64Selector, Code64{});
  gdt.set(kStackSelector, Data32{});
  gdt.set(kUserCode32Selector, Code32{.dpl = 3});
  gdt.set(kUserDataSelector, Data32{.dpl = 3});
  gdt.set(kUserCode64Selector, Code64{.dpl = 3});
  if (format == DescriptorFormat::kIa32e) {
    gdt.set(kTssSelector, Tss64{.base = tss, .busy = true});
  } else {
    gdt.set(kTssSelector, Tss32{.base = tss, .busy = true});
  }
  gdt.set(kCode16Selector, Code16{});
  gdt.set(kData16Selector, Data16{});
  gdt.set(kUserCode16Selector, Code16{.dpl = 3});
  gdt.set(kUserData16Selector, Data16{.dpl = 3});
  return gdt;
}

struct IsGate {
  bool operator()(const TaskGate& /*gate*/) const { return true; }
  bool operator()(const ReservedDescriptor& /*reserved*/) const { return false; }
  template <unsigned kBits, bool kClearsIf>
  bool operator()(const IdtGateOf<kBits, kClearsIf>& /*gate*/) const {
    return true;
  }
  bool operator()(const NullDescriptor& /*null*/) const { return true; }
  template <typename Other>
  bool operator()(const Other& /*other*/) const {
    return false;
  }
};

}  // namespace

StartDescriptors::StartDescriptors(CpuMode mode)
    : mode_(mode), format_(format_of(mode)), gdt_(start_gdt(format_)), ldt_(format_) {}

void StartDescriptors::set(std::uint16_t selector, const Descriptor& descriptor) {
  const std::string form = describe_fields(descriptor).front().value;
  if (mode_ == CpuMode::kReal16) {
    throw DescriptorError(fmt::format(
        "the {} at {:#x}: a guest that starts in real mode has no GDT yet; write one into its "
        "memory with DescriptorTableBuilder::bytes()",
        form, selector));
  }
  if (std::visit(IsGate{}, descriptor) && !std::holds_alternative<NullDescriptor>(descriptor) &&
      !std::holds_alternative<TaskGate>(descriptor)) {
    throw DescriptorError(
        fmt::format("the {} at {:#x}: it belongs in the IDT, use set_gate()", form, selector));
  }
  const unsigned size = encode(descriptor, format_).is_16_bytes ? 16 : 8;
  if ((selector & kIndex) + size - 1U > kMostSelector) {
    throw DescriptorError(
        fmt::format("the {} at {:#x}: the start state's tables have room up to {:#x}", form,
                    selector, kMostSelector));
  }
  if (is_in_ldt(selector)) {
    ldt_.set(selector, descriptor);
    return;
  }
  if ((selector & kIndex) == 0) {
    throw DescriptorError(
        fmt::format("the {} at {:#x}: this is the null selector", form, selector));
  }
  if (selector >= kLdtSelector && selector < kFirstFreeSelector) {
    throw DescriptorError(fmt::format(
        "the {} at {:#x}: the framework has the LDT's descriptor there; free are {:#x} and up",
        form, selector, kFirstFreeSelector));
  }
  gdt_.set(selector, descriptor);
}

void StartDescriptors::set_gate(Vector vector, const Descriptor& gate) {
  const bool real = mode_ == CpuMode::kReal16;
  const bool possible = real ? std::holds_alternative<IvtEntry>(gate) : std::visit(IsGate{}, gate);
  if (!possible) {
    throw DescriptorError(fmt::format("the {} for vector {:#x}: a guest that starts in {} has {}",
                                      describe_fields(gate).front().value,
                                      static_cast<unsigned>(vector), to_string(mode_),
                                      real ? "an IVT: give an IvtEntry" : "gates in its IDT"));
  }
  if (!real) (void)encode(gate, format_);
  gates_.insert_or_assign(vector, gate);
}

std::optional<Segment> StartDescriptors::segment(std::uint16_t selector) const {
  if (mode_ == CpuMode::kReal16) return std::nullopt;
  return is_in_ldt(selector) ? ldt_.segment(selector) : gdt().segment(selector);
}

Segment StartDescriptors::ldt_register() const {
  if (ldt_.empty()) return Segment::null_ldt();
  return {.selector = kLdtSelector,
          .base = Gva{(kSystemRegion + kLdtOffset).value()},
          .limit = ldt_.limit(),
          .type = Segment::kLdt,
          .s = false};
}

DescriptorTableBuilder StartDescriptors::gdt() const {
  DescriptorTableBuilder gdt = gdt_;
  if (!ldt_.empty()) {
    const Segment ldt = ldt_register();
    gdt.set(kLdtSelector, Ldt{.base = ldt.base, .limit = ldt.limit});
  }
  return gdt;
}

}  // namespace hltest
