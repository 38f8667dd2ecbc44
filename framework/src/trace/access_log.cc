#include "trace/access_log.h"

#include <cstring>

namespace hltest {

std::uint64_t AccessLog::size() const {
  return run_->ports.accesses().size() + run_->mmio.size() + run_->msrs.size();
}

bool AccessLog::is_complete() const {
  return run_->ports.dropped() == 0 && run_->mmio.size() < PortLog::kMostKept &&
         run_->msrs.size() < PortLog::kMostKept;
}

void AccessLog::repeat_handler_writes(GuestMemory& memory) {
  const auto& writes = recording_->handler_writes;
  const std::uint64_t access = used() - 1;  // the one that has just been counted
  for (; handler_writes_ < writes.size() && writes[handler_writes_].access <= access;
       ++handler_writes_) {
    memory.write_bytes(writes[handler_writes_].gpa, writes[handler_writes_].bytes);
  }
}

bool AccessLog::answer_port(const kvm::IoExit& io, GuestMemory& memory) {
  const Direction direction = io.is_out ? Direction::kOut : Direction::kIn;
  for (std::size_t at = 0; at < io.data.size(); at += io.size) {
    if (ports_ == run_->ports.accesses().size()) return false;
    const PortAccess& access = run_->ports.accesses()[ports_];
    if (access.port != io.port || access.direction != direction || access.size != io.size) {
      return false;
    }
    const std::span<std::uint8_t> element = io.data.subspan(at, io.size);
    if (!io.is_out) {
      std::memcpy(element.data(), &access.value, element.size());
    } else if (std::memcmp(element.data(), &access.value, element.size()) != 0) {
      return false;
    }
    ++ports_;
    repeat_handler_writes(memory);
  }
  return true;
}

bool AccessLog::answer_mmio(const kvm::MmioExit& mmio, GuestMemory& memory) {
  if (mmio_ == run_->mmio.size()) return false;
  const MmioAccess& access = run_->mmio[mmio_];
  const Direction direction = mmio.is_write ? Direction::kOut : Direction::kIn;
  if (access.gpa != mmio.gpa || access.direction != direction || access.size != mmio.data.size()) {
    return false;
  }
  if (!mmio.is_write) {
    std::memcpy(mmio.data.data(), &access.value, mmio.data.size());
  } else if (std::memcmp(mmio.data.data(), &access.value, mmio.data.size()) != 0) {
    return false;
  }
  ++mmio_;
  repeat_handler_writes(memory);
  return true;
}

bool AccessLog::answer_msr(const kvm::MsrExit& exit, kvm::Vcpu& vcpu, GuestMemory& memory) {
  if (msrs_ == run_->msrs.size()) return false;
  const MsrAccess& access = run_->msrs[msrs_];
  const Direction direction = exit.is_write ? Direction::kOut : Direction::kIn;
  if (access.msr != Msr{exit.index} || access.direction != direction) return false;
  if (exit.is_write && access.value != exit.data) return false;
  if (access.handled) {
    vcpu.answer_msr(access.value);
  } else {
    vcpu.refuse_msr();
  }
  ++msrs_;
  repeat_handler_writes(memory);
  return true;
}

bool AccessLog::answer(const kvm::Exit& exit, kvm::Vcpu& vcpu, GuestMemory& memory) {
  if (const auto* const io = std::get_if<kvm::IoExit>(&exit)) return answer_port(*io, memory);
  if (const auto* const mmio = std::get_if<kvm::MmioExit>(&exit)) return answer_mmio(*mmio, memory);
  const auto* const msr = std::get_if<kvm::MsrExit>(&exit);
  return msr != nullptr && answer_msr(*msr, vcpu, memory);
}

}  // namespace hltest
