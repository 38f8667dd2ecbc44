#include <hltest/x86/segment.h>
#include "x86/descriptors/descriptor_type.h"

namespace hltest {
namespace {

std::uint8_t requested_privilege(std::uint16_t selector) {
  return static_cast<std::uint8_t>(selector & 3U);
}

Segment flat(std::uint16_t selector, std::uint8_t type) {
  return {.selector = selector,
          .limit = 0xFFFF'FFFF,
          .type = type,
          .dpl = requested_privilege(selector),
          .db = true,
          .granularity = true};
}

}  // namespace

Segment Segment::real_mode(std::uint16_t selector) {
  return {.selector = selector, .base = Gva{std::uint64_t{selector} * 16}};
}

Segment Segment::unreal_mode(std::uint16_t selector) {
  Segment segment = real_mode(selector);
  segment.limit = 0xFFFF'FFFF;
  segment.granularity = true;
  return segment;
}

Segment Segment::flat_code32(std::uint16_t selector) { return flat(selector, kCodeReadExecute); }

Segment Segment::flat_data(std::uint16_t selector) { return flat(selector, kDataReadWrite); }

Segment Segment::code64(std::uint16_t selector) {
  Segment segment = flat(selector, kCodeReadExecute);
  segment.l = true;
  segment.db = false;
  return segment;
}

Segment Segment::task_state(std::uint16_t selector, Gva base, std::uint32_t limit) {
  return {.selector = selector, .base = base, .limit = limit, .type = kBusyTss, .s = false};
}

Segment Segment::task_state16(std::uint16_t selector, Gva base, std::uint32_t limit) {
  Segment segment = task_state(selector, base, limit);
  segment.type = internal::descriptor_type::kTss | internal::descriptor_type::kBusyBit;
  return segment;
}

Segment Segment::null_ldt() {
  return {.type = kLdt, .s = false, .present = false, .unusable = true};
}

std::uint64_t descriptor(const Segment& segment) {
  const std::uint64_t base = segment.base.value();
  const std::uint64_t limit = segment.granularity ? segment.limit >> 12U : segment.limit;
  return (limit & 0xFFFF) | (base & 0xFF'FFFF) << 16U | std::uint64_t{segment.type & 0xFU} << 40U |
         std::uint64_t{segment.s} << 44U | std::uint64_t{segment.dpl & 3U} << 45U |
         std::uint64_t{segment.present} << 47U | (limit >> 16U & 0xF) << 48U |
         std::uint64_t{segment.avl} << 52U | std::uint64_t{segment.l} << 53U |
         std::uint64_t{segment.db} << 54U | std::uint64_t{segment.granularity} << 55U |
         (base >> 24U & 0xFF) << 56U;
}

Segment segment_from_descriptor(std::uint64_t bytes, std::uint16_t selector) {
  const bool granularity = (bytes >> 55U & 1U) != 0;
  const auto limit = static_cast<std::uint32_t>((bytes & 0xFFFF) | (bytes >> 48U & 0xF) << 16U);
  return {.selector = selector,
          .base = Gva{(bytes >> 16U & 0xFF'FFFF) | (bytes >> 56U & 0xFF) << 24U},
          .limit = granularity ? limit << 12U | 0xFFFU : limit,
          .type = static_cast<std::uint8_t>(bytes >> 40U & 0xF),
          .dpl = static_cast<std::uint8_t>(bytes >> 45U & 3U),
          .s = (bytes >> 44U & 1U) != 0,
          .present = (bytes >> 47U & 1U) != 0,
          .avl = (bytes >> 52U & 1U) != 0,
          .l = (bytes >> 53U & 1U) != 0,
          .db = (bytes >> 54U & 1U) != 0,
          .granularity = granularity};
}

}  // namespace hltest
