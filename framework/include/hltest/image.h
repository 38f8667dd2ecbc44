#pragma once

#include <hltest/error.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/lazy_source_map.h>
#include <hltest/memory_layout.h>
#include <hltest/source_map.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest {

/// An image that `hltest_add_guests()` linked into the program.
struct LinkedImage {
  std::string_view name;
  LinkedBytes bytes;
  Gpa load_address;
  const LazySourceMap* source_map = nullptr;  ///< lives as long as the program; null if unknown
};

/// What NASM says about an image: the source's name, the listing (`-l`) and the map file
/// (`[map all]`).
struct NasmNotes {
  std::string source{};
  std::string listing{};
  std::string map{};
};

/// An image has no such label. The message lists those it has.
class SymbolError : public Error {
 public:
  using Error::Error;
};

/// A flat program: its bytes, the address they are loaded at, and the address of its first
/// instruction. A small value: copies share the bytes and the source map. Any number of threads may
/// read one.
class FlatImage {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a linked image is an image
  constexpr FlatImage(const LinkedImage& linked)
      : name_(linked.name),
        bytes_(linked.bytes),
        source_map_(linked.source_map),
        load_address_(linked.load_address) {}

  /// An image of bytes made at run time, which it keeps. `notes` are NASM's, if NASM made the
  /// bytes.
  FlatImage(std::string name, std::vector<std::uint8_t> bytes, Gpa load_address = kLoadAddress,
            NasmNotes notes = {});

  /// What reports call it: of a guest of `hltest_add_guests`, the source's name without `.asm`.
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.begin, bytes_.end}; }
  [[nodiscard]] Gpa load_address() const { return load_address_; }
  /// The linear address of the first instruction: the load address unless `set_entry` was called.
  [[nodiscard]] Gva entry() const { return entry_.value_or(Gva{load_address_.value()}); }

  /// The address of a label of the source, such as `start` or `start.loop`, or the value of a
  /// constant. With an `org` in the source, labels are at the addresses it gives them; otherwise
  /// they move with the load address. Throws `SymbolError` if there is no such label.
  [[nodiscard]] Gva address(std::string_view label) const;
  /// The lines and labels of its source; empty for bytes without `NasmNotes`. The first call for an
  /// image or any of its copies reads NASM's listing. Valid as long as the image or a copy lives.
  [[nodiscard]] const SourceMap& source_map() const;

  /// Where in the image a physical address is; nothing outside.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(Gpa gpa) const {
    if (gpa < load_address_ || gpa - load_address_ >= bytes().size()) return std::nullopt;
    return gpa - load_address_;
  }

  /// Cuts it to its first `size` bytes, if it has more. Its source stays.
  void keep_first(std::size_t size);
  /// A copy with `bytes` from `offset` on, made longer by zeros where it is too short. Its name and
  /// its source stay: the lines and labels are those of this image.
  [[nodiscard]] FlatImage with_bytes(std::size_t offset, std::span<const std::uint8_t> bytes) const;
  void set_load_address(Gpa address) { load_address_ = address; }
  void set_entry(Gva entry) { entry_ = entry; }

 private:
  struct Owned;

  std::shared_ptr<const void> owned_;  // what the views below are of, unless it is linked
  std::string_view name_;
  LinkedBytes bytes_;
  const LazySourceMap* source_map_;
  Gpa load_address_;
  std::optional<Gva> entry_;
};

/// The mode in the type of the images that a guest starting in `start_mode` runs: real mode for all
/// 16-bit code, protected mode for all 32-bit code.
constexpr CpuMode image_mode(CpuMode start_mode) {
  switch (code_bits(start_mode)) {
    case 16:
      return CpuMode::kReal16;
    case 32:
      return CpuMode::kProtected32;
    default:
      return CpuMode::kLong64;
  }
}

/// A program for one start mode. A fixture's `run()` for another mode does not accept it.
template <CpuMode kStartMode>
class Image : public FlatImage {
 public:
  static constexpr CpuMode kMode = kStartMode;

  using FlatImage::FlatImage;

  /// The same image, loaded (and, unless `entered_at` was called, entered) at `address`.
  [[nodiscard]] Image loaded_at(Gpa address) const {
    Image copy = *this;
    copy.set_load_address(address);
    return copy;
  }
  /// The same image, with its first instruction at the linear address `entry`.
  [[nodiscard]] Image entered_at(Gva entry) const {
    Image copy = *this;
    copy.set_entry(entry);
    return copy;
  }
};

using RealModeImage = Image<CpuMode::kReal16>;
using ProtectedModeImage = Image<CpuMode::kProtected32>;
using LongModeImage = Image<CpuMode::kLong64>;

/// One source assembled for several modes. It converts to the image for each of them, so a typed
/// test can call `this->run(guests::name)` in every fixture.
template <CpuMode... kModes>
struct ImageSet : Image<kModes>... {
  template <CpuMode>
  using LinkedImageFor = LinkedImage;

  constexpr explicit ImageSet(const LinkedImageFor<kModes>&... images) : Image<kModes>(images)... {}

  /// The image for one mode.
  template <CpuMode kMode>
  [[nodiscard]] const Image<kMode>& in() const {
    return *this;
  }
};

}  // namespace hltest
