#include <hltest/source_map.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "guest/early_labels.h"
#include "guest/listing_position.h"
#include "guest/nasm_line.h"
#include "guest/nasm_map.h"
#include "guest/text.h"

namespace hltest {
namespace {

using namespace internal;

// Where each section begins in the image.
std::unordered_map<std::string, std::uint64_t> section_offsets(const NasmMap& map) {
  std::unordered_map<std::string, std::uint64_t> offsets;
  for (const NasmSection& section : map.sections) offsets.emplace(section.name, section.offset);
  return offsets;
}

// Whether the image has the line's bytes at `offset`.
bool has_bytes(std::span<const std::uint8_t> image, std::uint64_t offset,
               const ListedBytes& listed) {
  if (offset > image.size() || image.size() - offset < listed.size) return false;
  const auto bytes = image.subspan(offset, static_cast<std::size_t>(listed.size));
  return listed.known.size() <= bytes.size() &&
         std::ranges::equal(listed.known, bytes.first(listed.known.size()));
}

}  // namespace

SourceMap::SourceMap(std::string_view main_file, std::string_view listing, std::string_view map,
                     std::span<const std::uint8_t> bytes) {
  NasmMap nasm = read_nasm_map(map);
  rename_early_labels(nasm, listing);
  if (map.empty()) nasm.sections.push_back({.name = ".text", .offset = 0});
  origin_ = nasm.origin;
  read_listing(main_file, listing, nasm, bytes);
  for (NasmSymbol& symbol : nasm.symbols) symbols_.push_back(std::move(symbol.symbol));
  index_symbols();
}

void SourceMap::read_listing(std::string_view main_file, std::string_view listing,
                             const NasmMap& map, std::span<const std::uint8_t> bytes) {
  const auto sections = section_offsets(map);
  ListingPosition position{main_file};
  auto section = sections.find(".text");
  bool bits_changed = false;
  std::optional<unsigned> bits;
  while (!listing.empty()) {
    const auto line = split_listing_line(next_line(listing));
    if (!line) continue;
    SourceLine source = position.advance(*line);
    if (const auto changed = changed_section(line->text)) section = sections.find(*changed);
    if (const auto changed = changed_bits(line->text)) {
      bits = changed;
      bits_changed = true;
    }

    if (!line->offset || section == sections.end()) continue;
    const auto listed = read_listed_bytes(line->bytes);
    if (!listed || listed->size == 0) continue;
    const std::uint64_t at = section->second + *line->offset;
    if (at < *line->offset || !has_bytes(bytes, at, *listed)) continue;
    entries_.push_back(
        {at, listed->size, std::move(source), std::exchange(bits_changed, false), bits});
  }
  std::ranges::stable_sort(entries_, {}, &Entry::offset);
}

void SourceMap::index_symbols() {
  by_name_.resize(symbols_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::ranges::copy_if(by_name_, std::back_inserter(labels_), [this](std::size_t index) {
    const bool is_local_to_a_macro = symbols_[index].name.starts_with("..@");
    return symbols_[index].offset.has_value() && !is_local_to_a_macro;
  });
  std::ranges::stable_sort(by_name_, {},
                           [this](std::size_t i) -> std::string_view { return symbols_[i].name; });
  std::ranges::stable_sort(labels_, {}, [this](std::size_t i) { return *symbols_[i].offset; });
}

std::vector<SourceMap::Entry>::const_iterator SourceMap::entry_at(std::uint64_t offset) const {
  const auto next = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  if (next == entries_.begin()) return entries_.end();
  const auto entry = std::prev(next);
  return offset - entry->offset < entry->size ? entry : entries_.end();
}

std::optional<SourceLine> SourceMap::line_at(std::uint64_t offset) const {
  const auto entry = entry_at(offset);
  return entry != entries_.end() ? std::optional{entry->line} : std::nullopt;
}

std::optional<std::uint64_t> SourceMap::code_start(std::uint64_t offset,
                                                   std::uint64_t most_before) const {
  auto entry = entry_at(offset);
  if (entry == entries_.end() || offset - entry->offset > most_before) return std::nullopt;
  while (entry != entries_.begin() && !entry->follows_bits) {
    const auto before = std::prev(entry);
    if (before->offset + before->size != entry->offset) break;
    if (offset - before->offset > most_before) break;
    entry = before;
  }
  return entry->offset;
}

std::optional<unsigned> SourceMap::bits_at(std::uint64_t offset) const {
  const auto entry = entry_at(offset);
  return entry != entries_.end() ? entry->bits : std::nullopt;
}

std::string SourceMap::label_at(std::uint64_t offset) const {
  const auto offset_of = [this](std::size_t index) { return *symbols_[index].offset; };
  const auto next = std::ranges::upper_bound(labels_, offset, {}, offset_of);
  if (next == labels_.begin()) return {};
  const Symbol& nearest = symbols_[*std::prev(next)];
  const std::uint64_t distance = offset - *nearest.offset;
  return distance == 0 ? nearest.name : fmt::format("{}+{:#x}", nearest.name, distance);
}

std::optional<Symbol> SourceMap::symbol(std::string_view name) const {
  const auto name_of = [this](std::size_t index) -> std::string_view {
    return symbols_[index].name;
  };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (found == by_name_.end() || symbols_[*found].name != name) return std::nullopt;
  return symbols_[*found];
}

}  // namespace hltest
