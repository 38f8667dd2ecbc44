#include <hltest/outcome.h>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include <hltest/error.h>

#include "machine/run_record.h"

namespace hltest {

bool Outcome::registers_are_lost() const {
  const auto* const fault = std::get_if<TripleFault>(&stop);
  return fault != nullptr && fault->registers_were_reset;
}

Gva stop_address(const StopReason& stop, const Registers& registers) {
  const Gva next = registers.code_address();
  constexpr std::uint64_t kSyscallLength = 2;
  // KVM reports a HLT with RIP after it, and a trap's instruction came before.
  if (std::holds_alternative<Halt>(stop)) return next - 1;
  if (const auto* const exception = std::get_if<Exception>(&stop)) {
    return next - exception->instruction_length;
  }
  if (const auto* const condition = std::get_if<ConditionMet>(&stop)) {
    return next - condition->instruction_length;
  }
  const auto* const call = std::get_if<SystemCall>(&stop);
  const bool is_syscall = call != nullptr && call->instruction == SystemCall::Instruction::kSyscall;
  return is_syscall ? next - kSyscallLength : next;
}

Gva Outcome::stop_address() const { return hltest::stop_address(stop, registers); }

GuestTables Outcome::tables() const {
  if (record == nullptr || record->memory == nullptr) {
    throw SetupError("the guest's tables can be read after a run: this outcome is of none");
  }
  if (registers_are_lost()) {
    throw SetupError(
        "the guest's tables can't be found: after the triple fault this host's KVM has reset the "
        "registers that point to them");
  }
  return {registers, record->memory, record->paging_features};
}

std::optional<std::uint64_t> Outcome::stop_offset() const {
  if (record == nullptr || !image || registers_are_lost()) return std::nullopt;
  const std::optional<Gpa> gpa = tables().translate(stop_address());
  return gpa ? image->offset_of(*gpa) : std::nullopt;
}

bool Outcome::stopped_outside_image() const {
  return record != nullptr && !registers_are_lost() && !stop_offset() &&
         !std::holds_alternative<SystemCall>(stop);
}

std::optional<SourcePlace> Outcome::source() const {
  if (record == nullptr || registers_are_lost()) return std::nullopt;
  const std::optional<Gpa> gpa = tables().translate(stop_address());
  return gpa ? source_at(*gpa) : std::nullopt;
}

namespace {

std::optional<SourcePlace> source_in(const FlatImage& image, std::uint64_t offset) {
  const SourceMap& map = image.source_map();
  std::optional<SourceLine> line = map.line_at(offset);
  if (!line.has_value()) return std::nullopt;
  return SourcePlace{*std::move(line), map.label_at(offset)};
}

// A guest of a disk's that was read to an address.
std::optional<SourcePlace> source_on_disk(const Disk& disk, const DiskTransfer& transfer, Gpa gpa) {
  const std::uint64_t on_disk =
      transfer.lba * Disk::kSectorSize + (gpa - transfer.memory.value_or(gpa));
  for (const DiskPart& part : disk.parts()) {
    const std::uint64_t begin = part.lba * Disk::kSectorSize;
    if (on_disk < begin || on_disk - begin >= part.bytes().size()) continue;
    return source_in(part.image, part.offset + on_disk - begin);
  }
  return std::nullopt;
}

}  // namespace

std::optional<SourcePlace> Outcome::source_at(Gpa gpa) const {
  std::vector<DiskTransfer> transfers = disk_transfers();
  std::ranges::reverse(transfers);  // the last that was read there is what is there
  for (const DiskTransfer& each : transfers) {
    const bool is_there = !each.is_write && each.memory && gpa >= *each.memory &&
                          gpa - *each.memory < each.count * Disk::kSectorSize;
    const auto disk = disks.find(each.drive);
    if (is_there && disk != disks.end()) return source_on_disk(disk->second, each, gpa);
  }
  const std::optional<std::uint64_t> offset = image ? image->offset_of(gpa) : std::nullopt;
  return offset ? source_in(*image, *offset) : std::nullopt;
}

std::vector<DiskTransfer> Outcome::disk_transfers() const {
  std::vector<DiskTransfer> transfers;
  for (const ServiceCall& call : bios_calls()) {
    if (call.transfer) transfers.push_back(*call.transfer);
  }
  return transfers;
}

std::string Outcome::console() const { return accesses.console(); }

std::string to_string(const SourcePlace& place) {
  std::string text = fmt::format("{}:{}", place.line.file, place.line.line);
  if (!place.label.empty()) text += fmt::format(" ({})", place.label);
  return text;
}

std::string summary(const Outcome& outcome) {
  std::string text = fmt::format("{} {}{}", outcome.guest,
                                 outcome.halted() ? "" : "ended: ", describe(outcome.stop));
  if (outcome.registers_are_lost()) return text;
  return fmt::format("{} at {} ({})", text, to_string(outcome.stop_address()),
                     mode_name(outcome.registers));
}

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << summary(outcome);
}

}  // namespace hltest
