#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <hltest/memory.h>

#include "vm/backing.h"
#include "vm/memory_pages.h"

namespace hltest::internal {

/// What a machine does with the memory that its test sees.
class MachineMemory {
 public:
  explicit MachineMemory(GuestMemory& memory) : memory_(&memory) {}

  /// Changes the size; what is in the RAM stays, as far as it fits. Throws `MemoryError`, also
  /// while a guest runs on it.
  void resize(std::uint64_t size);
  /// The RAM as the test wrote it.
  [[nodiscard]] MemoryPages as_set_up();
  /// The RAM as the last guest left it, or as the test wrote it before any has run.
  [[nodiscard]] MemoryPages as_left();
  /// The vectors of the real-mode IVT that the test has written to.
  [[nodiscard]] const std::vector<bool>& own_vectors() const { return memory_->own_vectors_; }

  /// Gives the guest of a new run its memory, and the test a view of it.
  [[nodiscard]] std::shared_ptr<Backing> begin_run(const MemoryPages& pages);
  /// What it holds now, which stays as it is.
  [[nodiscard]] std::shared_ptr<const Backing> share() {
    return (memory_->live_ != nullptr ? memory_->live_ : memory_->setup_)->share();
  }
  /// From now on until `false`, a guest runs on it: what is written then is the guest's alone.
  void set_in_use(bool in_use);
  /// What was written since the last call, while a guest runs.
  [[nodiscard]] std::vector<MemoryWrite> take_writes() {
    return std::exchange(memory_->writes_, {});
  }

  /// The memory of a guest that no machine owns, as its devices see it.
  static GuestMemory view_of(std::shared_ptr<Backing> backing);

 private:
  GuestMemory* memory_;
};

}  // namespace hltest::internal
