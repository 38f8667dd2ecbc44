#include <hltest/x86/descriptor.h>
#include "x86/descriptors/descriptor_type.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

namespace hltest {
namespace {

using namespace internal::descriptor_type;

std::uint8_t bits(bool value, std::uint8_t bit) { return value ? bit : std::uint8_t{0}; }

void check_range(std::string_view what, std::uint64_t value, std::uint64_t most) {
  if (value <= most) return;
  throw DescriptorError(
      fmt::format("a descriptor's {} of {:#x} does not fit: at most {:#x}", what, value, most));
}

// G of a descriptor; the limit has to be one that it can count.
bool granularity(const auto& form) {
  if (!counts_4kib(form.limit, form.granularity)) return false;
  if ((form.limit & 0xFFF) != 0xFFF) {
    throw DescriptorError(fmt::format(
        "a segment limit of {:#x}: over 0xfffff, or with G set, a limit counts 4 KiB and ends in "
        "0xfff",
        form.limit));
  }
  return true;
}

void check_format(bool possible, std::string_view form, DescriptorFormat format) {
  if (possible) return;
  throw DescriptorError(
      fmt::format("a {} does not exist {}", form,
                  format == DescriptorFormat::kIa32e ? "in IA-32e mode" : "outside IA-32e mode"));
}

// 64-bit forms exist in IA-32e mode, the others outside.
template <unsigned kBits>
void check_width(std::string_view form, DescriptorFormat format) {
  check_format((kBits == 64) == (format == DescriptorFormat::kIa32e),
               fmt::format("{}-bit {}", kBits, form), format);
}

EncodedDescriptor system_segment(const Segment& segment, DescriptorFormat format) {
  const bool wide = format == DescriptorFormat::kIa32e;
  if (!wide) check_range("base", segment.base.value(), 0xFFFF'FFFF);
  return {.low = descriptor(segment), .high = segment.base.value() >> 32U, .is_16_bytes = wide};
}

EncodedDescriptor gate(std::uint8_t type, std::uint16_t selector, std::uint64_t offset,
                       unsigned dpl, bool present, unsigned low_bits, unsigned width) {
  check_range("DPL", dpl, 3);
  check_range("offset", offset,
              width == 64 ? std::numeric_limits<std::uint64_t>::max() : (1ULL << width) - 1);
  return {.low = (offset & 0xFFFF) | std::uint64_t{selector} << 16U |
                 std::uint64_t{low_bits} << 32U | std::uint64_t{type} << 40U |
                 std::uint64_t{dpl} << 45U | std::uint64_t{present} << 47U |
                 (offset >> 16U & 0xFFFF) << 48U,
          .high = offset >> 32U,
          .is_16_bytes = width == 64};
}

struct Encoder {
  DescriptorFormat format;

  EncodedDescriptor operator()(const NullDescriptor& /*null*/) const { return {}; }

  template <unsigned kBits>
  EncodedDescriptor operator()(const CodeSegment<kBits>& code) const {
    check_range("DPL", code.dpl, 3);
    check_range("base", code.base.value(), 0xFFFF'FFFF);
    return {.low = descriptor(
                {.base = code.base,
                 .limit = code.limit,
                 .type = static_cast<std::uint8_t>(kCode | bits(code.accessed, kAccessed) |
                                                   bits(code.readable, kReadableOrWritable) |
                                                   bits(code.conforming, kConformingOrExpandDown)),
                 .dpl = static_cast<std::uint8_t>(code.dpl),
                 .present = code.present,
                 .avl = code.avl,
                 .db = kBits == 32,
                 .granularity = granularity(code)})};
  }
  EncodedDescriptor operator()(const Code64& code) const {
    EncodedDescriptor encoded = (*this)(Code32{.dpl = code.dpl,
                                               .readable = code.readable,
                                               .conforming = code.conforming,
                                               .present = code.present,
                                               .avl = code.avl,
                                               .accessed = code.accessed});
    constexpr std::uint64_t kL = 1ULL << 53U;
    constexpr std::uint64_t kD = 1ULL << 54U;
    encoded.low = (encoded.low & ~kD) | kL;
    return encoded;
  }
  template <unsigned kBits>
  EncodedDescriptor operator()(const DataSegment<kBits>& data) const {
    check_range("DPL", data.dpl, 3);
    check_range("base", data.base.value(), 0xFFFF'FFFF);
    return {.low = descriptor(
                {.base = data.base,
                 .limit = data.limit,
                 .type = static_cast<std::uint8_t>(bits(data.accessed, kAccessed) |
                                                   bits(data.writable, kReadableOrWritable) |
                                                   bits(data.expand_down, kConformingOrExpandDown)),
                 .dpl = static_cast<std::uint8_t>(data.dpl),
                 .present = data.present,
                 .avl = data.avl,
                 .db = kBits == 32,
                 .granularity = granularity(data)})};
  }
  EncodedDescriptor operator()(const Ldt& ldt) const {
    check_range("DPL", ldt.dpl, 3);
    return system_segment({.base = ldt.base,
                           .limit = ldt.limit,
                           .type = Segment::kLdt,
                           .dpl = static_cast<std::uint8_t>(ldt.dpl),
                           .s = false,
                           .present = ldt.present,
                           .avl = ldt.avl,
                           .granularity = granularity(ldt)},
                          format);
  }
  template <unsigned kBits>
  EncodedDescriptor operator()(const TaskStateSegment<kBits>& tss) const {
    check_width<kBits>("TSS", format);
    check_range("DPL", tss.dpl, 3);
    return system_segment({.base = tss.base,
                           .limit = tss.limit,
                           .type = static_cast<std::uint8_t>(kTss | bits(tss.busy, kBusyBit) |
                                                             bits(kBits != 16, kWide)),
                           .dpl = static_cast<std::uint8_t>(tss.dpl),
                           .s = false,
                           .present = tss.present,
                           .avl = tss.avl,
                           .granularity = granularity(tss)},
                          format);
  }
  template <unsigned kBits>
  EncodedDescriptor operator()(const CallGate<kBits>& call) const {
    check_width<kBits>("call gate", format);
    check_range("parameter count", call.parameters, kBits == 64 ? 0 : 31);
    return gate(kCallGate | bits(kBits != 16, kWide), call.selector, call.offset, call.dpl,
                call.present, call.parameters, kBits);
  }
  template <unsigned kBits, bool kClearsIf>
  EncodedDescriptor operator()(const IdtGateOf<kBits, kClearsIf>& idt) const {
    check_width<kBits>(kClearsIf ? "interrupt gate" : "trap gate", format);
    check_range("IST", idt.ist, kBits == 64 ? 7 : 0);
    return gate(static_cast<std::uint8_t>((kClearsIf ? kInterruptGate : kTrapGate) |
                                          bits(kBits != 16, kWide)),
                idt.selector, idt.offset, idt.dpl, idt.present, idt.ist, kBits);
  }
  EncodedDescriptor operator()(const TaskGate& task) const {
    check_format(format == DescriptorFormat::kLegacy, "task gate", format);
    return gate(kTaskGate, task.selector, 0, task.dpl, task.present, 0, 32);
  }
  EncodedDescriptor operator()(const IvtEntry& /*entry*/) const {
    throw DescriptorError("an IVT entry is not a descriptor: only real mode has an IVT");
  }
  EncodedDescriptor operator()(const ReservedDescriptor& raw) const {
    const bool is_16_bytes = has_16_bytes(raw.low, format);
    if (!is_16_bytes && raw.high != 0) {
      throw DescriptorError(
          fmt::format("the raw descriptor {:#018x} has 8 bytes, and {:#018x} for the 8 after them",
                      raw.low, raw.high));
    }
    return {.low = raw.low, .high = raw.high, .is_16_bytes = is_16_bytes};
  }
};

}  // namespace

EncodedDescriptor encode(const Descriptor& descriptor, DescriptorFormat format) {
  return std::visit(Encoder{format}, descriptor);
}

}  // namespace hltest
