#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include <hltest/source_map.h>

namespace hltest {

/// Bytes that are linked into the program between two symbols that `hltest_add_guests()` makes.
struct LinkedBytes {
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
};

/// An image's source map, which is read from NASM's listing and map file the first time somebody
/// asks for it. Any number of threads may ask at the same time. It does not own the texts and the
/// bytes: they have to live as long as it does.
class LazySourceMap {
 public:
  /// `main_file` is the source's name, `image` the bytes that NASM made.
  constexpr LazySourceMap(std::string_view main_file, LinkedBytes image, LinkedBytes listing,
                          LinkedBytes map)
      : main_file_(main_file), image_(image), listing_(listing), map_(map) {}
  LazySourceMap(const LazySourceMap&) = delete;
  LazySourceMap& operator=(const LazySourceMap&) = delete;
  ~LazySourceMap() = default;

  /// The map, always the same object.
  [[nodiscard]] const SourceMap& get() const;

 private:
  std::string_view main_file_;
  LinkedBytes image_;
  LinkedBytes listing_;
  LinkedBytes map_;
  mutable std::once_flag once_;
  mutable std::optional<SourceMap> read_;
};

}  // namespace hltest
