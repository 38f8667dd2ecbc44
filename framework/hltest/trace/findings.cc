#include <hltest/trace/findings.h>
#include <hltest/x86/disassembly.h>

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

// The step that changed the first of these bytes, found by stepping once more.
std::string writer_of(const RecordedRun& run, const SteppedEnd& stepped, Gpa gpa,
                      const Bytes& bytes) {
  const auto is_intact = [&](const ReplayedGuest& guest) {
    return guest.memory().read_bytes(gpa, bytes.size()) == bytes;
  };
  const auto guest = at_start(run, stepped);
  if (!is_intact(*guest)) return {};
  for (std::uint64_t i = 0; i + 1 < stepped.count; ++i) {
    const Step step = look(*guest);
    if (guest->step() != ReplayedGuest::End::kStepped) return {};
    if (!is_intact(*guest)) return place_of(run, step);
  }
  return {};
}

std::string overwritten_code(const RecordedRun& run, const SteppedEnd& stepped) {
  const Step& last = stepped.last_in_image ? *stepped.last_in_image : stepped.last.back();
  if (!last.gpa || *last.gpa < run.outcome.image_start || last.code.empty()) return {};
  const std::uint64_t offset = *last.gpa - run.outcome.image_start;
  if (offset >= run.outcome.image_size) return {};
  const CpuMode mode = cpu_mode(last.before);
  const Gva at = last.before.code_address();
  const Bytes now = disassemble_one(last.code, at, mode).bytes;
  const Bytes was = original(run, offset, now.size());
  if (was == Bytes(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(was.size()))) return {};
  const std::string writer = writer_of(run, stepped, *last.gpa, was);
  return fmt::format("the code at {} was overwritten{}: the image has `{}` there", to_string(at),
                     writer.empty() ? "" : " by " + writer,
                     disassemble_one(original(run, offset, kLongestInstruction), at, mode).text);
}

Gva top_of_stack(const Registers& registers) {
  if (cpu_mode(registers) == CpuMode::kLong64) return Gva{registers.rsp};
  return registers.ss.base + (registers.ss.db ? registers.esp() : registers.sp());
}

// What stands at the top of the stack where the image had something else.
bool has_overwritten_the_image(const RecordedRun& run, const GuestMemory& memory, Gpa top) {
  constexpr std::size_t kLooked = 64;
  if (top < run.outcome.image_start || top - run.outcome.image_start >= run.outcome.image_size)
    return false;
  const Bytes was = original(run, top - run.outcome.image_start, kLooked);
  const Bytes now = memory.read_bytes(top, was.size());
  // Zeros are what a source reserves for its stack.
  for (std::size_t i = 0; i < was.size(); ++i) {
    if (was[i] != 0 && was[i] != now[i]) return true;
  }
  return false;
}

std::string lost_stack(const RecordedRun& run, const Step& last, const SystemTables& tables,
                       const GuestMemory& memory) {
  const Gva top = top_of_stack(last.before);
  const std::optional<Gpa> gpa = tables.translate(top);
  if (last.code.empty()) return {};  // where nothing is mapped the stack is not what is wrong
  if (!gpa) {
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
  for (std::string each : {overwritten_code(run, stepped),
                           lost_stack(run, last, guest.tables(last.before), guest.memory())}) {
    if (!each.empty()) found.push_back(std::move(each));
  }
  return found;
}

}  // namespace hltest
