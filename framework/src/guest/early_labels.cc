#include "guest/early_labels.h"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "guest/nasm_line.h"
#include "guest/text.h"

namespace hltest::internal {
namespace {

using SymbolIndex = std::unordered_map<std::string_view, std::size_t>;

// Visits the text of each line of a listing, except the bodies of macro definitions: their labels
// are defined where the macro is called.
template <typename Visitor>  // returns false to stop
void visit_texts(std::string_view listing, Visitor visit) {
  std::size_t definitions = 0;
  while (!listing.empty()) {
    const auto line = split_listing_line(next_line(listing));
    if (!line) continue;
    const std::string_view text = line->text;
    if (starts_with_word(text, "%macro") || starts_with_word(text, "%imacro") ||
        starts_with_word(text, "%rmacro") || starts_with_word(text, "%irmacro")) {
      ++definitions;
    } else if (starts_with_word(text, "%endmacro") || starts_with_word(text, "%endm")) {
      definitions -= definitions > 0 ? 1 : 0;
    } else if (definitions == 0 && !visit(text)) {
      return;
    }
  }
}

bool is_local(std::string_view label) { return label.starts_with('.') && !label.starts_with(".."); }

// What a line defines if it is a label: its first word. For `struc name`, the second.
std::string_view label_in(std::string_view text) {
  const std::string_view keyword_or_label = next_word(text);
  std::string_view label =
      starts_with_word(keyword_or_label, "struc") ? next_word(text) : keyword_or_label;
  label = label.substr(0, label.find_first_of(":;,"));
  if (label.starts_with('$')) label.remove_prefix(1);  // `$ax` is a label named like a register
  return label;
}

// Constants (`equ`) do not become the label that local labels belong to.
bool is_constant(std::string_view text) {
  next_word(text);
  return starts_with_word(trimmed(text), "equ");
}

bool is_global_label(std::string_view text, std::string_view label, const SymbolIndex& symbols) {
  return !label.starts_with('.') && symbols.contains(label) && !is_constant(text);
}

std::unordered_set<std::string_view> early_labels(std::string_view listing,
                                                  const SymbolIndex& symbols) {
  std::unordered_set<std::string_view> early;
  visit_texts(listing, [&](std::string_view text) {
    const std::string_view label = label_in(text);
    if (is_local(label)) early.insert(label);
    return !is_global_label(text, label, symbols);
  });
  return early;
}

std::string_view last_global_label(std::string_view listing, const SymbolIndex& symbols) {
  std::string_view last;
  visit_texts(listing, [&](std::string_view text) {
    const std::string_view label = label_in(text);
    if (is_global_label(text, label, symbols)) last = label;
    return true;
  });
  return last;
}

}  // namespace

void rename_early_labels(NasmMap& map, std::string_view listing) {
  SymbolIndex symbols;
  for (std::size_t i = 0; i < map.symbols.size(); ++i) {
    symbols.emplace(map.symbols[i].symbol.name, i);
  }
  const auto early = early_labels(listing, symbols);
  if (early.empty()) return;
  const std::string_view last = last_global_label(listing, symbols);

  // Whether NASM put `global` before a local label that precedes it. Within a section the map's
  // order tells, also where the listing does not show `global` since a macro defines it.
  const auto is_misnamed = [&](std::size_t index, std::string_view global, std::string_view local) {
    const auto owner = symbols.find(global);
    if (owner == symbols.end() || !early.contains(local)) return false;
    const bool same_group = map.symbols[owner->second].group == map.symbols[index].group;
    return same_group ? index < owner->second : global == last;
  };
  constexpr std::size_t kLongestName = 4095;  // NASM's limit
  std::unordered_map<std::size_t, std::string> renamed;
  for (std::size_t i = 0; i < map.symbols.size(); ++i) {
    const std::string_view name = map.symbols[i].symbol.name;
    if (name.size() > kLongestName) continue;
    for (std::size_t dot = name.find('.', 1); dot < name.size(); dot = name.find('.', dot + 1)) {
      if (!is_misnamed(i, name.substr(0, dot), name.substr(dot))) continue;
      renamed.emplace(i, name.substr(dot));
      break;
    }
  }
  // Only now: the index refers to the names.
  for (auto& [index, name] : renamed) map.symbols[index].symbol.name = std::move(name);
}

}  // namespace hltest::internal
