#include "vm/guest_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include <hltest/memory_layout.h>

#include "x86/counted.h"

namespace hltest {
namespace {

constexpr std::size_t kVectors = 256;
constexpr std::uint64_t kIvtSize = kVectors * 4;
// Accesses of more than this are refused before anything is made for them.
constexpr std::uint64_t kMostAtOnce = 1ULL << 40U;

}  // namespace

GuestMemory::GuestMemory(std::uint64_t size, CpuMode mode)
    : mode_(mode),
      size_(size),
      setup_(std::make_unique<internal::SharedBacking>(std::make_shared<internal::Backing>(
          internal::MemoryLayout{.start_mode = mode,
                                 .ram_size = size,
                                 .system_size = mode == CpuMode::kReal16 ? kRomSize : 0}))),
      own_vectors_(kVectors) {}

GuestMemory::GuestMemory(GuestMemory&&) noexcept = default;
GuestMemory& GuestMemory::operator=(GuestMemory&&) noexcept = default;
GuestMemory::~GuestMemory() = default;

const internal::Backing& GuestMemory::current() const {
  if (live_ != nullptr) return live_->get();
  if (setup_ != nullptr) return setup_->get();
  throw MemoryError("this memory was moved away: use the one that it was moved to");
}

bool GuestMemory::is_ram(Gpa gpa, std::uint64_t count) const {
  return internal::is_ram(current().layout(), gpa, count);
}

std::string GuestMemory::describe_ram() const { return internal::describe_ram(current().layout()); }

void GuestMemory::copy_out(Gpa gpa, std::span<std::uint8_t> to) const {
  const std::uint64_t backed = current().backed(gpa, to.size());
  if (backed < to.size()) {
    throw MemoryError(fmt::format("read of {} at {}: {} is outside the guest's memory ({})",
                                  internal::counted(to.size(), "byte"), to_string(gpa),
                                  to_string(gpa + backed), describe_ram()));
  }
  current().read(gpa, to);
}

// The test may write to RAM and, where a guest starts in real mode, to the BIOS ROM segment around
// the framework's handlers.
void GuestMemory::check_write(const char* operation, Gpa gpa, std::uint64_t count) const {
  const internal::Backing& memory = current();
  const std::uint64_t backed = count > kMostAtOnce ? 0 : memory.backed(gpa, count);
  if (backed < count) {
    throw MemoryError(fmt::format("{} of {} at {}: {} is outside the guest's memory ({})",
                                  operation, internal::counted(count, "byte"), to_string(gpa),
                                  to_string(gpa + backed), describe_ram()));
  }
  if (count == 0) return;
  const bool has_rom = mode_ == CpuMode::kReal16;
  const Gpa first = has_rom ? kRomRegion : kSystemRegion;
  const Gpa last = has_rom ? kRomRegion + (kRomFreeOffset - 1) : kHighMemory - 1;
  if (gpa > last || gpa + (count - 1) < first) return;
  throw MemoryError(fmt::format("{} of {} at {}: {} to {} belongs to the framework ({})", operation,
                                internal::counted(count, "byte"), to_string(gpa), to_string(first),
                                to_string(last), describe_ram()));
}

void GuestMemory::copy_in(Gpa gpa, std::span<const std::uint8_t> from) {
  check_write("write", gpa, from.size());
  if (from.empty()) return;
  if (in_use_) {
    live_->in_place()->write(gpa, from);
    writes_.push_back({.gpa = gpa, .bytes = {from.begin(), from.end()}});
    return;
  }
  for (std::uint64_t at = gpa.value(); at < kIvtSize && at <= (gpa + (from.size() - 1)).value();
       ++at) {
    if (mode_ == CpuMode::kReal16) own_vectors_.at(at / 4) = true;
  }
  if (setup_ != nullptr) setup_->writable().write(gpa, from);
  if (live_ != nullptr) live_->writable().write(gpa, from);
}

void GuestMemory::fill(Gpa gpa, std::uint64_t count, std::uint8_t value) {
  check_write("fill", gpa, count);
  constexpr std::uint64_t kPart = 1 * kMiB;
  const std::vector<std::uint8_t> part(std::min(kPart, count), value);
  for (std::uint64_t done = 0; done < count; done += kPart) {
    copy_in(gpa + done, std::span{part}.first(std::min(kPart, count - done)));
  }
}

std::vector<std::uint8_t> GuestMemory::read_bytes(Gpa gpa, std::uint64_t count) const {
  // Before there is room for them: the count may be a mistake.
  const std::uint64_t backed = count > kMostAtOnce ? 0 : current().backed(gpa, count);
  if (backed < count) {
    throw MemoryError(fmt::format("read of {} at {}: {} is outside the guest's memory ({})",
                                  internal::counted(count, "byte"), to_string(gpa),
                                  to_string(gpa + backed), describe_ram()));
  }
  return current().read(gpa, count);
}

std::string GuestMemory::read_string(Gpa gpa, std::uint64_t limit) const {
  constexpr std::uint64_t kPart = 4 * kKiB;
  std::string text;
  while (text.size() < limit) {
    const std::uint64_t wanted = std::min<std::uint64_t>(kPart, limit - text.size());
    const std::vector<std::uint8_t> part = current().read(gpa + text.size(), wanted);
    const auto end = std::ranges::find(part, std::uint8_t{0});
    text.append(part.begin(), end);
    if (end != part.end()) return text;
    if (part.size() < wanted) {
      throw MemoryError(
          fmt::format("the string at {} leaves the guest's memory ({}) at {} without an end",
                      to_string(gpa), describe_ram(), to_string(gpa + text.size())));
    }
  }
  throw MemoryError(
      fmt::format("the string at {} does not end within {} bytes", to_string(gpa), limit));
}

void GuestMemory::write_string(Gpa gpa, std::string_view text) {
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.push_back(0);
  copy_in(gpa, bytes);
}

namespace internal {

void MachineMemory::resize(std::uint64_t size) {
  if (memory_->in_use_) {
    throw MemoryError(fmt::format(
        "a memory size of {:#x} bytes: it can't be changed while a guest runs on it", size));
  }
  GuestMemory changed{size, memory_->mode_};
  Backing& to = changed.setup_->writable();
  const Backing& from = memory_->current();
  for (const Gpa page : from.pages_in_use()) {
    if (to.is_backed(page)) to.write(page, from.page(page));
  }
  changed.own_vectors_ = memory_->own_vectors_;
  *memory_ = std::move(changed);
}

MemoryPages MachineMemory::as_set_up() { return MemoryPages{memory_->setup_->share()}; }

MemoryPages MachineMemory::as_left() {
  return memory_->live_ == nullptr ? as_set_up() : MemoryPages{memory_->live_->share()};
}

std::shared_ptr<Backing> MachineMemory::begin_run(const MemoryPages& pages) {
  auto backing = std::make_shared<Backing>(pages.layout());
  pages.put_into(*backing);
  memory_->live_ = std::make_unique<SharedBacking>(backing);
  return backing;
}

void MachineMemory::set_in_use(bool in_use) {
  memory_->in_use_ = in_use;
  memory_->writes_.clear();
}

GuestMemory MachineMemory::view_of(std::shared_ptr<Backing> backing) {
  GuestMemory memory;
  memory.mode_ = backing->layout().start_mode;
  memory.size_ = backing->layout().ram_size;
  memory.live_ = std::make_unique<SharedBacking>(std::move(backing));
  memory.own_vectors_.resize(kVectors);
  memory.in_use_ = true;
  return memory;
}

}  // namespace internal
}  // namespace hltest
