// Any registers in any call of the BIOS, with any memory: a service throws nothing, and writes
// nothing outside the guest's RAM.
#include <hltest/machine.h>

#include <algorithm>
#include <array>

#include "../waiting_guest.h"
#include "bios/bios_data.h"
#include "bios/bios_run.h"
#include "input.h"

namespace {

using namespace hltest;
using namespace hltest::internal;

class FuzzedGuest : public WaitingGuest {
 public:
  FuzzedGuest() { memory_ = GuestMemory{1 * kMiB, CpuMode::kReal16}; }
  void stop(std::string condition) override { fuzz::require_one_line(condition); }
};

Registers any_registers(FuzzedDataProvider& input) {
  Registers registers;
  for (std::uint64_t* const each :
       {&registers.rax, &registers.rbx, &registers.rcx, &registers.rdx, &registers.rsi,
        &registers.rdi, &registers.rbp, &registers.rsp}) {
    *each = input.ConsumeIntegral<std::uint32_t>();
  }
  for (Segment* const each : {&registers.cs, &registers.ds, &registers.es, &registers.ss}) {
    *each = Segment::real_mode(input.ConsumeIntegral<std::uint16_t>());
  }
  return registers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  FuzzedGuest guest;
  BiosRun bios{.settings = {.keys = input.ConsumeRandomLengthString(8)},
               .cmos = std::make_shared<Cmos>(kMemorySize, std::make_shared<Pic>()),
               .vga = std::make_shared<Vga>()};
  bios.drives.emplace(kFirstFloppy, Disk{2880});
  bios.drives.emplace(kFirstHardDisk, Disk{100'000});
  ServiceTable services;
  install(bios, services);
  put_bios_data(bios.settings, 1, 1, guest.memory());

  constexpr std::array kVectors = {0x08, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14,
                                   0x15, 0x16, 0x17, 0x18, 0x19, 0x1A};
  constexpr int kMostCalls = 32;
  for (int i = 0; i < kMostCalls && input.remaining_bytes() > 0; ++i) {
    if (input.ConsumeBool()) {
      const Gpa at{input.ConsumeIntegralInRange<std::uint64_t>(0, 0x9'FFFF)};
      guest.memory().write<std::uint32_t>(at, input.ConsumeIntegral<std::uint32_t>());
    }
    const Registers before = any_registers(input);
    ServiceCall call{.vector = static_cast<Vector>(input.PickValueInArray(kVectors)),
                     .before = before,
                     .after = before};
    fuzz::require(services.on_handler(call, guest), "the BIOS serves its vectors");
    fuzz::require_one_line(to_string(call));
    fuzz::require(!call.name.empty(), "a call has a name");
    if (!call.transfer) continue;
    const Disk& disk = bios.drives.at(call.transfer->drive);
    fuzz::require(call.transfer->lba + call.transfer->count <= disk.sectors(),
                  "a transfer is on its disk");
  }
  return 0;
}
