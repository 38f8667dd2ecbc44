#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/memory_layout.h>
#include <hltest/source_map.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest {

/// Bytes that are linked into the program between two symbols, which `hltest_add_guests()` makes.
struct LinkedBytes {
  const std::uint8_t* begin;
  const std::uint8_t* end;
};

/// An image that `hltest_add_guests()` linked into the program, with what NASM said of it.
struct LinkedImage {
  std::string_view name;
  std::string_view source;  ///< the file's name
  LinkedBytes bytes;
  LinkedBytes listing;
  LinkedBytes map;
  Gpa load_address;
};

/// What NASM says of an image that it made: the source's name, its listing (`-l`) and its map file
/// (`[map all]`).
struct NasmNotes {
  std::string source{};
  std::string listing{};
  std::string map{};
};

/// A label that an image has not; the message says which it has.
class SymbolError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A flat program: its bytes, where they are loaded, and where it is entered. A small value; copies
/// share the bytes.
class FlatImage {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): the one is what the other is made of
  constexpr FlatImage(const LinkedImage& linked)
      : name_(linked.name),
        source_(linked.source),
        bytes_(linked.bytes),
        listing_(linked.listing),
        map_(linked.map),
        load_address_(linked.load_address) {}

  /// Bytes made at run time, which the image keeps, with what NASM said of them if it made them.
  FlatImage(std::string name, std::vector<std::uint8_t> bytes, Gpa load_address = kLoadAddress,
            NasmNotes notes = {});

  /// What reports call it: the source's name without `.asm`.
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.begin, bytes_.end}; }
  [[nodiscard]] Gpa load_address() const { return load_address_; }
  /// The linear address of the first instruction: the load address unless `set_entry` was called.
  [[nodiscard]] Gva entry() const { return entry_.value_or(Gva{load_address_.value()}); }

  /// The address of a label of the source's, `start` or `start.loop`, or the value of a constant. A
  /// source with an `org` has said where it is; the labels of one without are where the image is
  /// loaded. Throws `SymbolError`.
  [[nodiscard]] Gva address(std::string_view label) const;
  /// Its source's lines and labels; empty for bytes that NASM did not make here. Reads NASM's
  /// listing each time.
  [[nodiscard]] SourceMap source_map() const;

  void set_load_address(Gpa address) { load_address_ = address; }
  void set_entry(Gva entry) { entry_ = entry; }

 private:
  struct Owned {
    std::string name;
    std::vector<std::uint8_t> bytes;
    NasmNotes notes;
  };

  std::shared_ptr<const Owned> owned_;
  std::string_view name_;
  std::string_view source_;
  LinkedBytes bytes_;
  LinkedBytes listing_{nullptr, nullptr};
  LinkedBytes map_{nullptr, nullptr};
  Gpa load_address_;
  std::optional<Gva> entry_;
};

/// The mode that the code of a guest which starts in `start_mode` is assembled for: real mode for
/// all 16-bit code, protected mode for all 32-bit code.
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

/// A program for one start mode: an image for another does not compile in a fixture's `run()`.
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

/// One source assembled for several modes: it passes for the image of each of them, so a typed test
/// can write `this->run(guests::name)` in every fixture.
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
