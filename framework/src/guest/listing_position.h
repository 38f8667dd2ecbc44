#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/source_map.h>
#include "guest/nasm_line.h"

namespace hltest::internal {

/// Follows a listing into included files, macros and %rep, and names the source line that each line
/// of the listing belongs to.
class ListingPosition {
 public:
  explicit ListingPosition(std::string_view main_file);

  /// The source line of the listing's next line; for code of a macro, the outermost call.
  SourceLine advance(const NasmLine& line);

 private:
  struct Frame {
    std::string file;
    std::optional<SourceLine> call = std::nullopt;  // of the outermost macro
    unsigned last_line = 0;
    std::string last_text{};
  };

  static Frame opened_by(const Frame& frame);

  std::vector<Frame> frames_;
};

}  // namespace hltest::internal
