#include "trace/snapshot_ring.h"

#include <algorithm>

namespace hltest::internal {
namespace {

// A guest with more memory in use than that has no snapshots.
constexpr std::size_t kMostPages = 64 * kMiB / kPageSize;
constexpr std::chrono::microseconds kNever = std::chrono::hours{24};

}  // namespace

std::chrono::microseconds SnapshotRing::on_tick(Guest& guest) {
  using std::chrono::steady_clock;
  constexpr int kShareOfTime = 20;
  const auto begin = steady_clock::now();
  if (guest.memory().pages_in_use().size() > kMostPages) return kNever;
  const SharedSnapshot before = kept_.empty() ? nullptr : kept_.back();
  auto snapshot = std::make_shared<Snapshot>(guest.save(before.get()));
  if (devices_ != nullptr) snapshot->devices = devices_->save();
  kept_.push_back(std::move(snapshot));
  if (kept_.size() > kMost) kept_.pop_front();
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begin);
  return std::max(period_, took * kShareOfTime);
}

}  // namespace hltest::internal
