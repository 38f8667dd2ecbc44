// What the processor makes of a descriptor's bytes.
#include <hltest/x86/descriptor.h>
#include "x86/descriptors/descriptor_type.h"

namespace hltest {
namespace {

using namespace internal::descriptor_type;

template <template <unsigned> class Form>
Descriptor segment_of_size(const Segment& s, auto fill) {
  const auto filled = [&](auto form) -> Descriptor {
    form.base = s.base;
    form.limit = s.limit;
    form.dpl = s.dpl;
    form.present = s.present;
    form.avl = s.avl;
    form.granularity = s.granularity;
    form.accessed = (s.type & kAccessed) != 0;
    fill(form);
    return form;
  };
  return s.db ? filled(Form<32>{}) : filled(Form<16>{});
}

Descriptor decode_code_or_data(const Segment& s, const ReservedDescriptor& reserved) {
  const bool second = (s.type & kReadableOrWritable) != 0;
  const bool third = (s.type & kConformingOrExpandDown) != 0;
  if ((s.type & kCode) == 0) {
    return segment_of_size<DataSegment>(s, [&](auto& data) {
      data.writable = second;
      data.expand_down = third;
    });
  }
  if (s.l && s.db) return reserved;
  if (s.l) {
    return Code64{.dpl = s.dpl,
                  .readable = second,
                  .conforming = third,
                  .present = s.present,
                  .avl = s.avl,
                  .accessed = (s.type & kAccessed) != 0};
  }
  return segment_of_size<CodeSegment>(s, [&](auto& code) {
    code.readable = second;
    code.conforming = third;
  });
}

struct SystemDecoder {
  std::uint64_t low;
  std::uint64_t high;
  Segment segment;
  bool wide = (segment.type & kWide) != 0;
  Gva base{segment.base.value()};

  template <typename Form>
  [[nodiscard]] Descriptor tss() const {
    return Form{.base = base,
                .limit = segment.limit,
                .dpl = segment.dpl,
                .busy = (segment.type & kBusyBit) != 0,
                .present = segment.present,
                .avl = segment.avl,
                .granularity = segment.granularity};
  }
  template <typename Form>
  [[nodiscard]] Form gate(bool has_high_word) const {
    Form form;
    form.selector = static_cast<std::uint16_t>(low >> 16U);
    form.offset = (low & 0xFFFF) | (has_high_word ? (low >> 48U & 0xFFFF) << 16U : 0);
    form.dpl = segment.dpl;
    form.present = segment.present;
    return form;
  }
  template <typename Form>
  [[nodiscard]] Descriptor call_gate() const {
    auto form = gate<Form>(wide);
    form.parameters = static_cast<unsigned>(low >> 32U & 0x1F);
    return form;
  }
  template <typename Form>
  [[nodiscard]] Descriptor gate64() const {
    auto form = gate<Form>(true);
    form.offset |= high << 32U;
    if constexpr (requires { form.ist; }) form.ist = static_cast<unsigned>(low >> 32U & 7U);
    return form;
  }

  [[nodiscard]] Descriptor legacy() const {
    switch (segment.type & ~kWide) {
      case kTss:
      case kTss | kBusyBit:
        return wide ? tss<Tss32>() : tss<Tss16>();
      case kCallGate:
        return wide ? call_gate<CallGate32>() : call_gate<CallGate16>();
      case kInterruptGate:
        return wide ? Descriptor{gate<InterruptGate32>(true)} : gate<InterruptGate16>(false);
      case kTrapGate:
        return wide ? Descriptor{gate<TrapGate32>(true)} : gate<TrapGate16>(false);
      case Segment::kLdt:
        if (wide) break;
        return ldt();
      case kTaskGate:
        if (wide) break;
        return TaskGate{.selector = static_cast<std::uint16_t>(low >> 16U),
                        .dpl = segment.dpl,
                        .present = segment.present};
      default:
        break;
    }
    return ReservedDescriptor{.low = low};
  }

  [[nodiscard]] Descriptor ldt() const {
    return Ldt{.base = base,
               .limit = segment.limit,
               .dpl = segment.dpl,
               .present = segment.present,
               .avl = segment.avl,
               .granularity = segment.granularity};
  }

  // The second half of a segment or call gate has a type field, too: it has to be that of no
  // descriptor, so that no selector for the second half finds one (SDM vol. 3, figures 5-8 and
  // 8-4).
  [[nodiscard]] bool has_upper_type() const {
    const bool is_idt_gate = (segment.type & ~1U) == (kInterruptGate | kWide);
    return !is_idt_gate && (high >> 40U & 0x1F) != 0;
  }

  [[nodiscard]] Descriptor ia32e() const {
    if (has_upper_type()) return ReservedDescriptor{.low = low, .high = high};
    switch (segment.type) {
      case kTss | kWide:
      case kTss | kBusyBit | kWide:
        return tss<Tss64>();
      case Segment::kLdt:
        return ldt();
      case kCallGate | kWide:
        return gate64<CallGate64>();
      case kInterruptGate | kWide:
        return gate64<InterruptGate64>();
      case kTrapGate | kWide:
        return gate64<TrapGate64>();
      default:
        return ReservedDescriptor{.low = low, .high = high};
    }
  }
};

}  // namespace

bool has_16_bytes(std::uint64_t low, DescriptorFormat format) {
  constexpr std::uint64_t kS = 1ULL << 44U;
  return format == DescriptorFormat::kIa32e && low != 0 && (low & kS) == 0;
}

Descriptor decode_descriptor(std::uint64_t low, std::uint64_t high, DescriptorFormat format) {
  if (low == 0) return NullDescriptor{};
  const Segment segment = segment_from_descriptor(low, 0);
  if (segment.s) return decode_code_or_data(segment, {.low = low});
  if (format == DescriptorFormat::kLegacy) {
    return SystemDecoder{.low = low, .high = 0, .segment = segment}.legacy();
  }
  SystemDecoder decoder{.low = low, .high = high, .segment = segment};
  decoder.base = decoder.base + (high << 32U);
  return decoder.ia32e();
}

}  // namespace hltest
