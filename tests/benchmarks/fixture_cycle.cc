// The whole cycle of a fixture against a bare-ioctl loop in C, which runs in a process of its own.
// They are interleaved: each iteration does one of both. The counters are medians. Read `ratio`
// with its spread, of which `low` and `high` are the quartiles; a machine's microseconds say
// little.
#include <benchmark/benchmark.h>
#include <hltest/hltest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "../boot_sector.h"
#include "bare_process.h"

namespace {

using namespace hltest;
using Clock = std::chrono::steady_clock;

const RealModeImage& image() {
  static const RealModeImage kImage{"bench", {0xB0, 0x2A, 0xE6, 0xE9, 0xF4}};
  return kImage;
}

// The same code as a boot sector.
const RealModeImage& sector_image() {
  static const RealModeImage kImage = [] {
    std::vector<std::uint8_t> bytes{image().bytes().begin(), image().bytes().end()};
    return RealModeImage{"bench_sector", boot_sector(bytes)};
  }();
  return kImage;
}

/// A test as GoogleTest would run it: constructed, set up, run, torn down, destroyed.
template <typename Fixture, const RealModeImage& (*kImage)()>
class Cycle : public Fixture {
 public:
  explicit Cycle(std::uint64_t memory_size) : memory_size_(memory_size) {}
  void TestBody() override {
    this->SetUp();
    this->machine().set_memory_size(memory_size_);
    const Outcome outcome = this->run(kImage());
    passed_ = outcome.halted() && outcome.registers.al() == 0x2A;
    this->TearDown();
  }
  [[nodiscard]] bool passed() const { return passed_; }

 private:
  std::uint64_t memory_size_;
  bool passed_ = false;
};
using RealModeCycle = Cycle<RealModeTest, image>;
using BootCycle = Cycle<BootSectorTest, sector_image>;

// How long the action takes; negative if it fails.
template <typename Action>
double microseconds(Action&& action) {
  const auto start = Clock::now();
  const bool is_good = action();
  const std::chrono::duration<double, std::micro> time = Clock::now() - start;
  return is_good ? time.count() : -1;
}

template <typename Fixture = RealModeCycle>
double fixture_cycle(std::uint64_t memory_size) {
  return microseconds([&] {
    Fixture cycle{memory_size};
    cycle.TestBody();
    return cycle.passed();
  });
}

// The value that so many quarters of all are below.
double quartile(std::vector<double>& values, std::size_t quarters) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * quarters / 4);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// One of each, time after time, so that whatever else the machine does falls on both. Both return
// microseconds.
template <typename Base, typename Compared>
void compare(benchmark::State& state, const char* base_name, Base&& base, const char* name,
             Compared&& compared) {
  std::vector<double> base_times;
  std::vector<double> times;
  std::vector<double> ratios;
  for (auto _ : state) {
    base_times.push_back(base());
    times.push_back(compared());
    if (base_times.back() < 0 || times.back() < 0) {
      state.SkipWithError("a cycle failed: can KVM be used?");
      return;
    }
    ratios.push_back(times.back() / base_times.back());
  }
  state.counters[base_name] = quartile(base_times, 2);
  state.counters[name] = quartile(times, 2);
  state.counters["low"] = quartile(ratios, 1);
  state.counters["ratio"] = quartile(ratios, 2);
  state.counters["high"] = quartile(ratios, 3);
}

void fixture_against_bare_ioctls(benchmark::State& state) {
  BareProcess bare;
  compare(
      state, "bare_us", [&] { return bare.cycle(2 * kMiB); }, "fixture_us",
      [] { return fixture_cycle(2 * kMiB); });
}
BENCHMARK(fixture_against_bare_ioctls)->Iterations(1000)->Unit(benchmark::kMicrosecond);

// What the BIOS's data, services and devices cost.
void boot_against_real_mode(benchmark::State& state) {
  compare(
      state, "real_us", [] { return fixture_cycle(2 * kMiB); }, "boot_us",
      [] { return fixture_cycle<BootCycle>(2 * kMiB); });
}
BENCHMARK(boot_against_real_mode)->Iterations(1000)->Unit(benchmark::kMicrosecond);

void memory_of_1_gib_against_2_mib(benchmark::State& state) {
  compare(
      state, "2MiB_us", [] { return fixture_cycle(2 * kMiB); }, "1GiB_us",
      [] { return fixture_cycle(1 * kGiB); });
}
BENCHMARK(memory_of_1_gib_against_2_mib)->Iterations(300)->Unit(benchmark::kMicrosecond);

// What a long-mode start pays for its map, beside all else: meant to be under 0.01.
void identity_map_of_4_gib_against_a_fresh_vm(benchmark::State& state) {
  compare(
      state, "vm_us", [] { return fixture_cycle(2 * kMiB); }, "map_us",
      [] {
        return microseconds([] {
          PageMap map{PagingMode::k4Level};
          map.map({.size = 4 * kGiB, .page_size = PageSize::k2MiB});
          return build_page_tables(map, kSystemRegion).size() == 6;
        });
      });
}
BENCHMARK(identity_map_of_4_gib_against_a_fresh_vm)->Iterations(300)->Unit(benchmark::kMicrosecond);

// Meant to be under 20 ms.
void map_of_1_gib_in_4_kib_pages(benchmark::State& state) {
  for (auto _ : state) {
    PageMap map{PagingMode::k4Level};
    map.map({.size = 1 * kGiB, .page_size = PageSize::k4KiB});
    benchmark::DoNotOptimize(build_page_tables(map, kSystemRegion));
  }
}
BENCHMARK(map_of_1_gib_in_4_kib_pages)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
