#include <hltest/lazy_source_map.h>

#include <bit>

namespace hltest {
namespace {

std::string_view text(const LinkedBytes& bytes) {
  if (bytes.begin == nullptr) return {};
  return {std::bit_cast<const char*>(bytes.begin),
          static_cast<std::size_t>(bytes.end - bytes.begin)};
}

}  // namespace

const SourceMap& LazySourceMap::get() const {
  std::call_once(once_, [this] {
    read_.emplace(main_file_, text(listing_), text(map_), std::span{image_.begin, image_.end});
  });
  return *read_;
}

}  // namespace hltest
