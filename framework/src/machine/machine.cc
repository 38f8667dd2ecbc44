#include <hltest/machine.h>

#include <fmt/format.h>

#include <atomic>

#include <hltest/error.h>

#include "machine/parts.h"
#include "machine/run_record.h"
#include "machine/stop.h"
#include "start/layout.h"
#include "trace/snapshot_ring.h"
#include "vm/guest_memory.h"
#include "vm/processor_features.h"
#include "vm/run.h"

namespace hltest {
namespace {

using internal::MachineMemory;
using internal::MachineParts;

// Logs what the guest accesses.
class Recorder : public internal::Observer {
 public:
  void on_access(const Access& access, std::span<const MemoryWrite> writes) override {
    log_.add(access);
    for (const MemoryWrite& write : writes) log_.add(write);
  }
  void on_a20(const A20Change& change) override { log_.add(change); }
  void on_interrupt(const InterruptRequest& request) override { log_.add(request); }
  void on_service(const ServiceCall& call) override { log_.add(call); }
  [[nodiscard]] const AccessLog& log() const { return log_; }

 private:
  AccessLog log_;
};

// While it lives, the machine's guest runs: whatever a device throws, it runs no more afterwards.
class Running {
 public:
  explicit Running(MachineParts& parts) : parts_(parts) { set(true); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { set(false); }

 private:
  void set(bool running) {
    parts_.is_running = running;
    MachineMemory{parts_.memory}.set_in_use(running);
  }
  MachineParts& parts_;
};

void check_mmio(const internal::DeviceBus& bus, const internal::MemoryLayout& layout) {
  for (const internal::Claim& claim : bus.claims(Space::kMmio)) {
    for (const internal::Region& region : regions_of(layout)) {
      if (region.base > Gpa{claim.last} || region.last() < Gpa{claim.first}) continue;
      throw SetupError(fmt::format(
          "the MMIO handler for {:#x}-{:#x} would never be asked: the guest has memory there ({})",
          claim.first, claim.last, describe_ram(layout)));
    }
  }
}

std::vector<internal::kvm::Vm::ServedMsrs> served_msrs(const internal::DeviceBus& bus) {
  std::vector<internal::kvm::Vm::ServedMsrs> served;
  for (const internal::Claim& claim : bus.claims(Space::kMsr)) {
    served.push_back({.first = static_cast<std::uint32_t>(claim.first),
                      .count = static_cast<std::uint32_t>(claim.last - claim.first + 1),
                      .reads = claim.reads,
                      .writes = claim.writes});
  }
  return served;
}

// Vectors of exceptions that a test has taken from the framework by writing to the IVT. From 0x10
// on they are the BIOS's as well, and a test's own services rather than handlers.
std::vector<unsigned> exceptions_in(const std::vector<bool>& own_vectors, CpuMode mode) {
  std::vector<unsigned> vectors;
  constexpr unsigned kExceptions = 0x10;
  for (unsigned vector = 0; mode == CpuMode::kReal16 && vector < kExceptions; ++vector) {
    if (own_vectors.at(vector)) vectors.push_back(vector);
  }
  return vectors;
}

}  // namespace

Machine::Machine(CpuMode mode) : parts_(std::make_unique<MachineParts>(mode)) {}
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;
Machine::~Machine() = default;

MachineParts& Machine::parts() const {
  if (parts_ != nullptr) return *parts_;
  throw SetupError("this Machine was moved away: use the one that it was moved to");
}

MachineParts& Machine::parts_for(const char* call) const {
  MachineParts& own = parts();
  if (!own.is_running) return own;
  throw SetupError(fmt::format(
      "{} was called by a handler of the machine's own, while its guest runs: use another Machine",
      call));
}

void Machine::create_vm() {
  MachineParts& own = parts_for("create_vm()");
  own.guest.reset();
  own.guest.emplace();
  own.has_run = own.has_ended = false;
}

Outcome Machine::run(const FlatImage& image, const StartRegisters& start) {
  return run_with(image, start, false);
}

Outcome Machine::rerun(const FlatImage& image, const StartRegisters& start) {
  return run_with(image, start, true);
}

Outcome Machine::run_with(const FlatImage& image, const StartRegisters& start, bool is_warm) {
  MachineParts& own = parts_for(is_warm ? "rerun()" : "run()");
  MachineMemory memory{own.memory};
  static std::atomic<std::uint64_t> runs;
  auto record = std::make_shared<internal::RunRecord>();
  record->id = ++runs;
  auto snapshot = std::make_shared<internal::Snapshot>(internal::lay_out(
      own.state, image, start,
      {.pages = is_warm ? memory.as_left() : memory.as_set_up(),
       .own_vectors = memory.own_vectors(),
       .has_gigabyte_pages = internal::paging_features_of(own.state.cpuid).gigabyte_pages}));
  check_mmio(own.bus, snapshot->memory.layout());
  if (!is_warm) own.bus.begin_run();
  if (!is_warm && own.pc.pic != nullptr) own.begin_bios();
  internal::InterruptMoments moments{own.interrupts, image};
  snapshot->served_msrs = served_msrs(own.bus);

  if (!own.guest || own.has_run || !own.guest->is_of_this_process()) create_vm();
  own.has_run = true;
  snapshot->devices = own.bus.save();
  record->start = snapshot;
  own.guest->set_memory_view(&own.memory);
  own.guest->start(*snapshot, memory.begin_run(snapshot->memory));

  Recorder recorder;
  internal::SnapshotRing ring{&own.bus};
  internal::Observer* const observers[] = {&recorder, &ring, &moments, &own.services};
  Outcome outcome{.guest = std::string{image.name()}, .image = image, .start = snapshot->registers};
  {
    const Running running{own};
    const internal::Ending ending =
        internal::run(*own.guest, own.bus,
                      {.wall = own.timeout, .tick = internal::SnapshotRing::kPeriod}, observers);
    take_end(ending, own.timeout, *own.guest, outcome);
  }
  record->recent = ring.snapshots();
  record->missed_interrupts = moments.missed(own.interrupts);
  if (std::holds_alternative<Timeout>(outcome.stop)) {
    record->end = std::make_shared<internal::Snapshot>(own.guest->save());
  }
  record->paging_features = own.guest->paging_features();
  record->own_vectors = exceptions_in(memory.own_vectors(), own.state.mode());
  record->memory = memory.share();
  outcome.accesses = recorder.log();
  outcome.ports = PortView{outcome.accesses};
  outcome.mmio = AccessView{outcome.accesses, Space::kMmio};
  outcome.msrs = AccessView{outcome.accesses, Space::kMsr};
  outcome.record = std::move(record);
  own.has_ended = true;
  return outcome;
}

}  // namespace hltest
