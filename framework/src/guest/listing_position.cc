#include "guest/listing_position.h"

#include <utility>

#include "guest/text.h"

namespace hltest::internal {

ListingPosition::ListingPosition(std::string_view main_file) {
  frames_.push_back({.file = without_folders(main_file)});
}

SourceLine ListingPosition::advance(const NasmLine& line) {
  while (frames_.size() > line.depth + 1) frames_.pop_back();
  while (frames_.size() < line.depth + 1) frames_.push_back(opened_by(frames_.back()));
  Frame& frame = frames_.back();
  // Bytes that do not fit continue on further lines, which repeat the number but not the text.
  if (line.number != frame.last_line || !line.text.empty()) frame.last_text = line.text;
  frame.last_line = line.number;
  if (frame.call.has_value()) return *frame.call;
  return {.file = frame.file, .line = line.number, .text = frame.last_text};
}

ListingPosition::Frame ListingPosition::opened_by(const Frame& frame) {
  if (frame.call.has_value()) return {.file = frame.file, .call = frame.call};
  if (auto file = included_file(frame.last_text)) return {.file = *std::move(file)};
  // The lines of a %rep belong to the file itself.
  if (starts_with_word(frame.last_text, "%endrep")) return {.file = frame.file};
  return {.file = frame.file,
          .call = SourceLine{.file = frame.file, .line = frame.last_line, .text = frame.last_text}};
}

}  // namespace hltest::internal
