#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include <hltest/image.h>

#include "vm/observer.h"

namespace hltest::internal {

/// The last steps of a guest, and what it did with its image.
class StepHistory : public Observer {
 public:
  /// `most` steps are kept.
  StepHistory(const FlatImage& image, std::size_t most) : image_(image), most_(most) {}

  void on_step(const Step& step, const Guest& guest) override;

  /// How many there were; the last of them.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::deque<Step>& last() const { return last_; }
  /// The last instruction in the image.
  [[nodiscard]] const std::optional<Step>& last_in_image() const { return last_in_image_; }
  /// The first instruction in the image that is not what the image has there, and how many steps
  /// came before it.
  [[nodiscard]] const std::optional<Step>& first_overwritten() const { return first_overwritten_; }
  [[nodiscard]] std::uint64_t first_overwritten_at() const { return first_overwritten_at_; }

 private:
  [[nodiscard]] bool is_overwritten(const Step& step) const;

  const FlatImage& image_;
  std::size_t most_;
  std::uint64_t count_ = 0;
  std::deque<Step> last_;
  std::optional<Step> last_in_image_;
  std::optional<Step> first_overwritten_;
  std::uint64_t first_overwritten_at_ = 0;
};

/// True when a step's instruction is in an image.
bool is_in_image(const FlatImage& image, const Step& step);

}  // namespace hltest::internal
