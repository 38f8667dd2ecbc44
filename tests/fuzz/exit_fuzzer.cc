// Whatever KVM leaves in its run area, as long as the data of a port is within it: the exit that is
// read from it has its data there too, and a name.
#include <linux/kvm.h>

#include "kvm/exit.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "input.h"

namespace {

using namespace hltest::internal::kvm;
using fuzz::require;

struct alignas(kvm_run) Area {
  std::array<std::uint8_t, 8192> bytes{};
};

// What the kernel promises of a port's data.
void keep_data_inside(kvm_run& run, std::size_t size) {
  if (run.exit_reason != KVM_EXIT_IO) return;
  constexpr std::size_t kMostBytes = 4096;
  run.io.data_offset %= size - kMostBytes + 1;
  run.io.count %= kMostBytes / std::max<std::uint32_t>(run.io.size, 1) + 1;
}

// Requires that data is in the area, and fills it, as the answer to an IN or a read is.
void check_data(std::span<std::uint8_t> data, std::span<const std::uint8_t> area) {
  require(data.data() >= area.data() && data.data() + data.size() <= area.data() + area.size(),
          "data is in the run area");
  std::ranges::fill(data, std::uint8_t{0xFF});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const auto area = std::make_unique<Area>();
  kvm_run& run = *new (area->bytes.data()) kvm_run{};
  run.exit_reason = input.ConsumeBool() ? input.ConsumeIntegralInRange(0U, 64U)
                                        : input.ConsumeIntegral<std::uint32_t>();
  input.ConsumeData(run.padding, sizeof run.padding);
  keep_data_inside(run, area->bytes.size());
  const std::uint32_t count = run.io.count;
  const std::uint8_t element = run.io.size;

  const Exit exit = decode_exit(run, area->bytes);
  if (const auto* const io = std::get_if<IoExit>(&exit)) {
    require(io->data.size() == std::size_t{element} * count, "a port has all of its data");
    check_data(io->data, area->bytes);
  }
  if (const auto* const mmio = std::get_if<MmioExit>(&exit)) {
    require(mmio->data.size() <= 8, "an access has 8 bytes at most");
    check_data(mmio->data, area->bytes);
  }
  fuzz::require_one_line(exit_reason_name(run.exit_reason));
  require(!exit_reason_name(run.exit_reason).empty(), "an exit has a name");
  return 0;
}
