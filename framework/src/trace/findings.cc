#include "trace/findings.h"
#include "x86/code/disassembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hltest {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The image's own bytes at a place in it.
Bytes original(const RecordedRun& run, std::uint64_t offset, std::size_t count) {
  const auto bytes = run.outcome.image->bytes();
  const auto part = bytes.subspan(offset, std::min<std::size_t>(count, bytes.size() - offset));
  return {part.begin(), part.end()};
}

std::string place_of(const RecordedRun& run, const Step& step) {
  const HistoryStep at = history_step(step, nullptr);
  std::string text = fmt::format("`{}` at {}", at.instruction, to_string(at.address));
  const auto place = at.gpa ? run.outcome.source_at(*at.gpa) : std::nullopt;
  if (place) text += ", " + to_string(*place);
  return text;
}

// The last step that changed these bytes before they were executed, found by stepping once more.
std::string writer_of(const RecordedRun& run, const SteppedEnd& stepped, Gpa gpa,
                      std::size_t size) {
  const auto guest = at_start(run, stepped);
  const auto bytes = [&] { return std::as_const(*guest).memory().read_bytes(gpa, size); };
  std::string writer;
  Bytes last = bytes();
  for (std::uint64_t i = 0; i < stepped.first_overwritten_at; ++i) {
    const Step step = look(*guest);
    if (guest->step() != ReplayedGuest::End::kStepped) return {};
    if (Bytes now = bytes(); now != last) {
      last = std::move(now);
      writer = place_of(run, step);
    }
  }
  return writer;
}

std::string overwritten_code(const RecordedRun& run, const SteppedEnd& stepped) {
  if (!stepped.first_overwritten) return {};
  const Step& step = *stepped.first_overwritten;
  const std::uint64_t offset = *step.gpa - run.outcome.image_start;
  const CpuMode mode = cpu_mode(step.before);
  const Gva at = step.before.code_address();
  const std::size_t size = std::min<std::size_t>(disassemble_one(step.code, at, mode).bytes.size(),
                                                 run.outcome.image_size - offset);
  const std::string writer = writer_of(run, stepped, *step.gpa, size);
  return fmt::format("the code at {} was overwritten{}: the image has `{}` there", to_string(at),
                     writer.empty() ? "" : " by " + writer,
                     disassemble_one(original(run, offset, kLongestInstruction), at, mode).text);
}

// What stands at the top of the stack where the image had something else.
bool has_overwritten_the_image(const RecordedRun& run, const GuestMemory& memory, Gpa top) {
  constexpr std::size_t kLooked = 64;
  const std::optional<std::uint64_t> offset = run.outcome.image_offset(top);
  if (!offset) return false;
  const Bytes was = original(run, *offset, kLooked);
  const Bytes now = memory.read_bytes(top, was.size());
  // Zeros are what a source reserves for its stack.
  for (std::size_t i = 0; i < was.size(); ++i) {
    if (was[i] != 0 && was[i] != now[i]) return true;
  }
  return false;
}

std::string lost_stack(const RecordedRun& run, const Step& last, const SystemTables& tables,
                       const GuestMemory& memory) {
  const Gva top = stack_address(last.before);
  const std::optional<Gpa> gpa = tables.translate(top);
  if (!gpa) {
    if (!last.gpa) return {};  // where nothing is mapped the stack is not what is wrong
    return fmt::format("the stack pointer, {}, is where nothing is mapped", to_string(top));
  }
  if (!memory.is_backed(*gpa - 1) && !memory.is_backed(*gpa)) {
    return fmt::format("the stack pointer, {}, is where there is no memory", to_string(top));
  }
  if (!has_overwritten_the_image(run, memory, *gpa)) return {};
  return fmt::format("the stack has run into the image ({}-{}): its pointer is {}",
                     to_string(run.outcome.image_start),
                     to_string(run.outcome.image_start + (run.outcome.image_size - 1)),
                     to_string(top));
}

}  // namespace

std::vector<std::string> findings(const RecordedRun& run, const SteppedEnd& stepped,
                                  const ReplayedGuest& guest) {
  std::vector<std::string> found;
  const Step& last = stepped.last.back();
  // Steps that were given up say nothing of the stack at the end.
  const bool is_end = stepped.end != ReplayedGuest::End::kTooLong;
  for (std::string each :
       {overwritten_code(run, stepped),
        is_end ? lost_stack(run, last, guest.tables(last.before), guest.memory()) : ""}) {
    if (!each.empty()) found.push_back(std::move(each));
  }
  return found;
}

}  // namespace hltest
