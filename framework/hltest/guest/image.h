#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hltest/guest/memory_layout.h>
#include <hltest/x86/cpu_mode.h>

namespace hltest {

/// Bytes that are linked into the program between two symbols, which `hltest_add_guests()` makes.
struct LinkedImage {
  std::string_view name;
  const std::uint8_t* begin;
  const std::uint8_t* end;
  Gpa load_address;
};

/// A flat program: its bytes, where they are loaded, and where it is entered. A small value; copies
/// share the bytes.
class FlatImage {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): the one is what the other is made of
  constexpr FlatImage(const LinkedImage& linked)
      : name_(linked.name),
        begin_(linked.begin),
        end_(linked.end),
        load_address_(linked.load_address) {}

  /// Bytes made at run time, which the image keeps.
  FlatImage(std::string name, std::vector<std::uint8_t> bytes, Gpa load_address = kLoadAddress)
      : owned_(std::make_shared<const Owned>(Owned{std::move(name), std::move(bytes)})),
        name_(owned_->name),
        begin_(owned_->bytes.data()),
        end_(owned_->bytes.data() + owned_->bytes.size()),
        load_address_(load_address) {}

  /// What reports call it: the source's name without `.asm`.
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {begin_, end_}; }
  [[nodiscard]] Gpa load_address() const { return load_address_; }
  /// The linear address of the first instruction: the load address unless `set_entry` was called.
  [[nodiscard]] Gva entry() const { return entry_.value_or(Gva{load_address_.value()}); }

  void set_load_address(Gpa address) { load_address_ = address; }
  void set_entry(Gva entry) { entry_ = entry; }

 private:
  struct Owned {
    std::string name;
    std::vector<std::uint8_t> bytes;
  };

  std::shared_ptr<const Owned> owned_;
  std::string_view name_;
  const std::uint8_t* begin_;
  const std::uint8_t* end_;
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
