#include "trace/step_history.h"

#include <algorithm>

#include "x86/code/disassembly.h"

namespace hltest::internal {

bool is_in_image(const FlatImage& image, const Step& step) {
  return step.gpa && image.offset_of(*step.gpa).has_value();
}

void StepHistory::on_step(const Step& step, const Guest& /*guest*/) {
  last_.push_back(step);
  if (last_.size() > most_) last_.pop_front();
  if (is_in_image(image_, step)) {
    if (!first_overwritten_ && is_overwritten(step)) {
      first_overwritten_ = step;
      first_overwritten_at_ = count_;
    }
    last_in_image_ = step;
  }
  ++count_;
}

// Whether an instruction in the image is not the image's own.
bool StepHistory::is_overwritten(const Step& step) const {
  const auto image = image_.bytes().subspan(*image_.offset_of(*step.gpa));
  const std::size_t size = std::min(image.size(), step.code.size());
  if (std::ranges::equal(image.first(size), std::span{step.code}.first(size))) return false;
  const Instruction now =
      disassemble_one(step.code, step.before.code_address(), cpu_mode(step.before));
  const std::size_t length = std::min(size, now.bytes.size());
  return !std::ranges::equal(image.first(length), std::span{step.code}.first(length));
}

}  // namespace hltest::internal
