#include <hltest/access.h>

#include <fmt/format.h>

#include <numeric>

#include "x86/counted.h"

namespace hltest {

Access Access::in(Port port, std::uint8_t size, std::uint64_t value) {
  return {.direction = Direction::kRead, .size = size, .address = port, .value = value};
}
Access Access::out(Port port, std::uint8_t size, std::uint64_t value) {
  return {.direction = Direction::kWrite, .size = size, .address = port, .value = value};
}

std::string to_string(const Access& access) {
  switch (access.space) {
    case Space::kPort: {
      const char* const width = access.size == 1 ? "byte" : access.size == 2 ? "word" : "dword";
      return fmt::format("{} {:#x}, {} {:#x}{}", access.is_read() ? "in" : "out", access.address,
                         width, access.value, access.answered ? "" : " (floating bus)");
    }
    case Space::kMmio:
      return fmt::format("{} {:#x}, {}: {:#x}{}", access.is_read() ? "read" : "write",
                         access.address, internal::counted(access.size, "byte"), access.value,
                         access.answered ? "" : " (nothing there)");
    case Space::kMsr:
      return fmt::format("{} {:#x}: {:#x}{}", access.is_read() ? "rdmsr" : "wrmsr", access.address,
                         access.value, access.answered ? "" : " (#GP)");
    case Space::kInterrupt:
      return fmt::format("int {:#04x}, eax {:#x}", access.address, access.value);
  }
  return "unknown access";
}

std::string to_string(const ServiceCall& call) {
  constexpr Vector kDisk{0x13};
  const bool has_failed = call.vector == kDisk && call.is_known && call.after.rflags.cf();
  return fmt::format("INT {:02X}h, AX = {:04X}h{}{}{}", static_cast<unsigned>(call.vector),
                     call.before.ax(), call.name.empty() ? "" : ": ", call.name,
                     has_failed ? fmt::format(": failed, AH = {:02X}h", call.after.ah()) : "");
}

std::string to_string(const DiskTransfer& transfer) {
  const std::string sectors = transfer.count == 1 ? fmt::format("sector {}", transfer.lba)
                                                  : fmt::format("sectors {}-{}", transfer.lba,
                                                                transfer.lba + transfer.count - 1);
  std::string place;
  if (transfer.memory) {
    place = fmt::format(" {} {}", transfer.is_write ? "from" : "to", to_string(*transfer.memory));
  }
  return fmt::format("{} {} of drive {:#x}{}", transfer.is_write ? "write" : "read", sectors,
                     transfer.drive, place);
}

AccessLog::AccessLog() : records_(std::make_shared<Records>()) {}

// A copy of the log keeps what it had.
AccessLog::Records& AccessLog::own() {
  if (records_.use_count() > 1) records_ = std::make_shared<Records>(*records_);
  return *records_;
}

void AccessLog::add(const Access& access) {
  Records& records = own();
  const auto sent = records.serial.transmitted(access);
  if (sent && records.console.size() < kMostConsole) records.console += *sent;
  const auto space = static_cast<std::size_t>(access.space);
  if (records.accesses.size() >= kMostKept) {
    ++records.dropped.at(space);
    return;
  }
  records.accesses.push_back(access);
  ++records.kept.at(space);
}

void AccessLog::add(MemoryWrite write) {
  Records& records = own();
  records.written_bytes += sizeof write + write.bytes.size();
  if (records.dropped_memory_writes == 0 && records.written_bytes <= kMostWritten) {
    records.memory_writes.push_back(std::move(write));
    return;
  }
  // Without all of them a replay is not to be had.
  records.dropped_memory_writes += records.memory_writes.size() + 1;
  records.memory_writes = {};
}

void AccessLog::add(const ServiceCall& call) {
  Records& records = own();
  if (records.console.size() + call.text.size() <= kMostConsole) records.console += call.text;
  if (records.calls.size() < kMostCalls) {
    records.calls.push_back(call);
  } else {
    ++records.dropped_calls;
  }
}

void AccessLog::add(const InterruptRequest& request) { own().interrupts.push_back(request); }

void AccessLog::add(const A20Change& change) {
  // Only a replay needs it, which needs the access too.
  if (change.access < kMostKept) own().a20_changes.push_back(change);
}

std::uint64_t AccessLog::dropped(Space space) const {
  return records_->dropped.at(static_cast<std::size_t>(space));
}
std::uint64_t AccessLog::dropped() const {
  return std::accumulate(records_->dropped.begin(), records_->dropped.end(), std::uint64_t{0});
}
std::size_t AccessLog::kept(Space space) const {
  return records_->kept.at(static_cast<std::size_t>(space));
}

AccessView::Iterator::Iterator(const Access* at, const Access* end, Space space)
    : at_(at), end_(end), space_(space) {
  while (at_ != end_ && at_->space != space_) ++at_;
}

AccessView::Iterator& AccessView::Iterator::operator++() {
  *this = Iterator{at_ + 1, end_, space_};
  return *this;
}

AccessView::Iterator AccessView::Iterator::operator++(int) {
  const Iterator before = *this;
  ++*this;
  return before;
}

AccessView::Iterator AccessView::begin() const {
  const auto& all = log_.all();
  return {all.data(), all.data() + all.size(), space_};
}

AccessView::Iterator AccessView::end() const {
  const auto& all = log_.all();
  return {all.data() + all.size(), all.data() + all.size(), space_};
}

const Access& AccessView::operator[](std::size_t index) const {
  Iterator at = begin();
  for (; index > 0 && at != end(); --index) ++at;
  if (at == end()) throw std::out_of_range("AccessView: there are not so many accesses");
  return *at;
}

}  // namespace hltest
