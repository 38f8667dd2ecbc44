#include <hltest/image.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace hltest {
namespace {

LinkedBytes bytes_of(const std::string& text) {
  const auto* const begin = std::bit_cast<const std::uint8_t*>(text.data());
  return {begin, begin + text.size()};
}

LinkedBytes bytes_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.data(), bytes.data() + bytes.size()};
}

}  // namespace

struct FlatImage::Owned {
  Owned(std::string name_, std::vector<std::uint8_t> bytes_, NasmNotes notes_)
      : name(std::move(name_)),
        bytes(std::move(bytes_)),
        notes(std::move(notes_)),
        source_map(notes.source, bytes_of(bytes), bytes_of(notes.listing), bytes_of(notes.map)) {}

  std::string name;
  std::vector<std::uint8_t> bytes;
  NasmNotes notes;
  LazySourceMap source_map;  // of the bytes and notes above
};

FlatImage::FlatImage(std::string name, std::vector<std::uint8_t> bytes, Gpa load_address,
                     NasmNotes notes)
    : source_map_(nullptr), load_address_(load_address) {
  auto owned = std::make_shared<const Owned>(std::move(name), std::move(bytes), std::move(notes));
  name_ = owned->name;
  bytes_ = bytes_of(owned->bytes);
  source_map_ = &owned->source_map;
  owned_ = std::move(owned);
}

FlatImage FlatImage::with_bytes(std::size_t offset, std::span<const std::uint8_t> bytes) const {
  struct Changed {
    std::shared_ptr<const void> original;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<std::uint8_t> changed{this->bytes().begin(), this->bytes().end()};
  changed.resize(std::max(changed.size(), offset + bytes.size()));
  std::ranges::copy(bytes, changed.begin() + static_cast<std::ptrdiff_t>(offset));
  auto owned = std::make_shared<const Changed>(Changed{owned_, std::move(changed)});
  FlatImage copy = *this;
  copy.bytes_ = bytes_of(owned->bytes);
  copy.owned_ = std::move(owned);
  return copy;
}

const SourceMap& FlatImage::source_map() const {
  static const SourceMap kEmpty;
  return source_map_ != nullptr ? source_map_->get() : kEmpty;
}

void FlatImage::keep_first(std::size_t size) {
  if (bytes().size() > size) bytes_.end = bytes_.begin + size;
}

Gva FlatImage::address(std::string_view label) const {
  const SourceMap& map = source_map();
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
