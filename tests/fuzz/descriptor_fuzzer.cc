// Any 8 or 16 bytes decode to a descriptor that encodes to what decodes alike, and any fields
// encode to what decodes to them, or are refused.
#include <hltest/x86/descriptor.h>

#include <array>
#include <optional>
#include <utility>

#include "input.h"

namespace {

using namespace hltest;
using fuzz::require;

std::optional<EncodedDescriptor> encoded(const Descriptor& descriptor, DescriptorFormat format) {
  try {
    return encode(descriptor, format);
  } catch (const DescriptorError&) {
    return std::nullopt;
  }
}

void check(const Descriptor& descriptor, DescriptorFormat format) {
  fuzz::require_one_line(to_string(descriptor));
  require(describe_fields(descriptor).front().name == "form", "the first field is the form");
  const auto bytes = encoded(descriptor, format);
  if (!bytes || std::holds_alternative<RawDescriptor>(descriptor)) return;
  require(bytes->is_16_bytes == has_16_bytes(bytes->low, format), "halves are counted alike");
  require(decode_descriptor(bytes->low, bytes->high, format) == descriptor,
          "what was encoded decodes to the same");
}

void check_bytes(FuzzedDataProvider& input, DescriptorFormat format) {
  const auto low = input.ConsumeIntegral<std::uint64_t>();
  const auto high = input.ConsumeIntegral<std::uint64_t>();
  const Descriptor descriptor = decode_descriptor(low, high, format);
  check(descriptor, format);
  require(encoded(descriptor, format).has_value(), "what was decoded can be encoded");
}

template <std::size_t... kIndexes>
Descriptor form(std::size_t index, std::index_sequence<kIndexes...> /*all*/) {
  return std::array{Descriptor{std::in_place_index<kIndexes>}...}.at(index);
}

void check_fields(FuzzedDataProvider& input, DescriptorFormat format) {
  constexpr std::size_t kForms = std::variant_size_v<Descriptor>;
  Descriptor descriptor = form(input.ConsumeIntegralInRange<std::size_t>(0, kForms - 1),
                               std::make_index_sequence<kForms>{});
  std::visit(
      [&input](auto& f) {
        if constexpr (requires { f.base; }) f.base = Gva{fuzz::number(input)};
        if constexpr (requires { f.limit; })
          f.limit = static_cast<std::uint32_t>(fuzz::number(input));
        if constexpr (requires { f.selector; }) f.selector = input.ConsumeIntegral<std::uint16_t>();
        if constexpr (requires { f.offset; }) f.offset = fuzz::number(input);
        if constexpr (requires { f.dpl; }) f.dpl = input.ConsumeIntegralInRange(0U, 4U);
        if constexpr (requires { f.ist; }) f.ist = input.ConsumeIntegralInRange(0U, 8U);
        if constexpr (requires { f.parameters; })
          f.parameters = input.ConsumeIntegralInRange(0U, 32U);
        if constexpr (requires { f.busy; }) f.busy = input.ConsumeBool();
        if constexpr (requires { f.conforming; }) f.conforming = input.ConsumeBool();
        if constexpr (requires { f.expand_down; }) f.expand_down = input.ConsumeBool();
        if constexpr (requires { f.present; }) f.present = input.ConsumeBool();
        if constexpr (requires { f.avl; }) f.avl = input.ConsumeBool();
        if constexpr (requires { f.granularity; }) f.granularity = input.ConsumeBool();
      },
      descriptor);
  check(descriptor, format);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const auto format = input.ConsumeBool() ? DescriptorFormat::kIa32e : DescriptorFormat::kLegacy;
  check_bytes(input, format);
  check_fields(input, format);
  return 0;
}
