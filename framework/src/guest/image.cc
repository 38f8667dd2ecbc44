#include <hltest/image.h>

#include <fmt/format.h>

#include <bit>
#include <utility>

namespace hltest {
namespace {

std::string_view text(const LinkedBytes& bytes) {
  if (bytes.begin == nullptr) return {};
  return {std::bit_cast<const char*>(bytes.begin),
          static_cast<std::size_t>(bytes.end - bytes.begin)};
}

LinkedBytes bytes_of(const std::string& text) {
  const auto* const begin = std::bit_cast<const std::uint8_t*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace

FlatImage::FlatImage(std::string name, std::vector<std::uint8_t> bytes, Gpa load_address,
                     NasmNotes notes)
    : owned_(std::make_shared<const Owned>(
          Owned{std::move(name), std::move(bytes), std::move(notes)})),
      name_(owned_->name),
      source_(owned_->notes.source),
      bytes_{owned_->bytes.data(), owned_->bytes.data() + owned_->bytes.size()},
      listing_(bytes_of(owned_->notes.listing)),
      map_(bytes_of(owned_->notes.map)),
      load_address_(load_address) {}

SourceMap FlatImage::source_map() const { return {source_, text(listing_), text(map_), bytes()}; }

Gva FlatImage::address(std::string_view label) const {
  const SourceMap map = source_map();
  if (const std::optional<Symbol> symbol = map.symbol(label)) {
    const bool moves_along = symbol->offset.has_value() && map.origin() == 0;
    return moves_along ? Gva{load_address_.value()} + symbol->value : Gva{symbol->value};
  }
  std::string names;
  constexpr std::size_t kMost = 20;
  for (std::size_t i = 0; i < map.symbols().size() && i < kMost; ++i) {
    names += (i == 0 ? "" : ", ") + map.symbols()[i].name;
  }
  if (map.symbols().size() > kMost) names += ", ...";
  throw SymbolError(fmt::format("{} has no label {}: {}", name_, label,
                                names.empty() ? "it has none at all" : "it has " + names));
}

}  // namespace hltest
