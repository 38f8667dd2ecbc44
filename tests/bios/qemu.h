#pragma once

#include <hltest/disk.h>
#include <hltest/x86/address.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "qemu_process.h"

namespace hltest::oracle {

/// Registers by name: `rax` to `r15`, `rip`, `rflags`, and the selectors `cs` to `gs`.
using NamedRegisters = std::map<std::string, std::uint64_t>;

/// A PC that QEMU emulates in software, with SeaBIOS. It stops at the instructions that the test
/// names: a HLT would be left by the timer's next tick. Every function throws `std::runtime_error`
/// if QEMU does not answer.
class Qemu {
 public:
  /// Nothing runs yet.
  Qemu(const std::map<Drive, Disk>& disks, Drive boot);

  /// Runs to the instruction at this linear address, and throws if the guest does not come there in
  /// 20 seconds. `keys` are typed meanwhile; they have the form of `Bios::keys`.
  void run_to(Gva address, const std::string& keys = {});
  NamedRegisters registers();
  void set_stack_pointer(std::uint16_t sp);
  std::vector<std::uint8_t> read(Gpa from, std::uint64_t size);
  /// The display's memory can be written, too.
  void write(Gpa to, std::span<const std::uint8_t> bytes);
  /// What the guest sent on COM1.
  [[nodiscard]] std::string serial() const;
  /// What a disk contains now; read it while this object lives.
  [[nodiscard]] Disk disk(Drive drive) const;

 private:
  std::string answer(std::chrono::seconds longest);
  std::string ask(const std::string& packet);
  void expect_ok(const std::string& packet);
  std::string execute(const std::string& command);
  void type(const std::string& keys);

  TemporaryFolder folder_{};
  QemuProcess process_;
};

}  // namespace hltest::oracle
