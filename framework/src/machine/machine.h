#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <hltest/image.h>
#include <hltest/x86/paging.h>
#include "kvm/cpuid.h"
#include "kvm/error.h"
#include "machine/address_map.h"
#include "machine/guest_memory.h"
#include "machine/guest_vm.h"
#include "machine/mmio_bus.h"
#include "machine/msr_bus.h"
#include "machine/outcome.h"
#include "machine/port_bus.h"
#include "machine/recording.h"
#include "machine/setup.h"
#include "machine/start_descriptors.h"
#include "machine/start_registers.h"
#include "machine/start_state.h"
#include "machine/system_tables.h"

namespace hltest {

/// One guest, from the start state of its mode to its end. What a run does, in order:
///
///   1. check    the image, its entry and the settings against the guest's memory
///   2. lay out  the framework's tables and the image
///   3. record   what the guest begins with, for a replay (trace/replay.h)
///   4. start    a VM with it: memory slots, CPUID, registers
///   5. serve    exits, until one ends the run or the deadline does
///   6. tell     what happened: the Outcome
///
/// Everything is changed before `run`, and the machine needs no KVM before it. A port or MMIO
/// handler may change the buses' scripts and the contents of memory while the guest runs, and
/// nothing else.
class Machine {
 public:
  static constexpr std::chrono::milliseconds kDefaultTimeout{5000};

  /// A machine with 16 MiB of memory in the start state of `mode` (see start_state.h).
  /// Throws std::invalid_argument for a mode that no guest can start in.
  explicit Machine(CpuMode mode);

  /// Creates the VM now, which `run` would do otherwise.
  /// Throws `kvm::Unavailable` where this host has no usable KVM.
  void create_vm();

  /// What the processor starts with. RIP 0 stands for the image's entry.
  [[nodiscard]] Registers& registers() { return registers_; }
  [[nodiscard]] GuestMemory& memory() { return memory_; }
  [[nodiscard]] PortBus& ports() { return ports_; }
  [[nodiscard]] MmioBus& mmio() { return mmio_; }
  /// What answers RDMSR and WRMSR in place of KVM.
  [[nodiscard]] MsrBus& msrs() { return msr_bus_; }
  /// What CPUID shows the guest.
  [[nodiscard]] kvm::Cpuid& cpuid() { return cpuid_; }

  /// Bytes of RAM: a multiple of 4 KiB, several GiB if need be (what is not touched costs nothing).
  /// The start state's stack pointer moves with the end of RAM. Throws `MemoryError`.
  void set_memory_size(std::uint64_t size);

  /// The paging that the guest starts with: none (the start state), 32-bit or PAE in protected
  /// mode, 4-level (the start state) or 5-level in long mode. Sets the control registers for it:
  /// CR0.PG, CR0.WP, CR3, CR4.PSE, PAE and LA57, and with PAE paging EFER.NXE. To be called before
  /// `map`. Throws `SetupError` for one that the start mode can't have. Not every KVM can run each.
  void set_paging(PagingMode mode);

  /// Adds a mapping to the page tables that the guest starts with, which map RAM and the system
  /// region to themselves. Throws `PagingError`; where it overlaps the identity map, `run` does.
  void map(const PageMapping& mapping);
  /// Replaces what is mapped there, the identity map's part too. Throws `PagingError`.
  void remap(const PageMapping& mapping);
  /// Takes `size` bytes from `gva` on out of all mappings, the identity map too. Throws
  /// `PagingError`.
  void unmap(Gva gva, std::uint64_t size);

  /// Puts the page tables into RAM, one behind the other from `first_table` on (4 KiB aligned), in
  /// place of the system region, and CR3 with them. Throws `SetupError` without paging,
  /// `PagingError` when misaligned; `run` does where they don't fit, or lie over the image.
  void set_page_tables_at(Gpa first_table);

  /// The privilege level that the guest starts at: 0 (the start state) or 3. Sets the segment
  /// registers and EFER.SCE, makes the identity-mapped RAM accessible for CPL 3, and leads SYSCALL
  /// and SYSENTER to the framework's handlers, which end the run as a `SystemCall`. Throws
  /// `SetupError` in real mode and for 1 and 2.
  void set_cpl(unsigned cpl);

  /// Puts a descriptor into the GDT (or, by the selector's TI, the LDT) that the guest starts with,
  /// beside the framework's entries (memory_layout.h; free from `kFirstFreeSelector` on) or in
  /// place of one. The segment registers stay as they are: load one with `segment`. Throws
  /// `DescriptorError`.
  void set_descriptor(std::uint16_t selector, const Descriptor& descriptor);
  /// Puts a gate (in real mode an `IvtEntry`) in place of the framework's handler for a vector.
  /// Throws `DescriptorError`.
  void set_gate(Vector vector, const Descriptor& gate);
  /// What a load of `selector` from those tables makes of a segment register. Throws
  /// `DescriptorError` where they have no present code or data segment for it.
  [[nodiscard]] Segment segment(std::uint16_t selector) const;

  /// The value that an MSR has when the guest starts. Throws `SetupError` for EFER, which is one of
  /// `registers()`; `run` does for an MSR that this KVM does not know, and a value it refuses.
  void set_msr(Msr msr, std::uint64_t value);
  /// The value that an MSR has now, after the run. Throws `SetupError` where none has ended, and
  /// for an MSR that this KVM does not know.
  [[nodiscard]] std::uint64_t msr(Msr msr) const;

  /// The tables that the guest's registers pointed to at the end of the last run, in the memory as
  /// it is now. Throws `SetupError` where no run has ended, and where the registers are lost.
  [[nodiscard]] SystemTables tables() const;

  /// How long a run may take: 1 ms to 24 hours. Throws `SetupError`.
  void set_timeout(std::chrono::milliseconds timeout);

  /// Runs `image` to its end. `start` are registers to begin with in place of those above.
  ///
  /// A second run is a warm reset: a new VM, with everything as set above and the image loaded
  /// anew, but with the RAM as the first run left it; port scripts go on where they were.
  ///
  /// Throws `SetupError`, `RegisterError`, `MemoryError` or `PagingError` before anything runs when
  /// the input makes no sense, `kvm::Unavailable` without KVM, `kvm::Error` when KVM refuses
  /// something, std::system_error where there is no timer or signal for the deadline, and what the
  /// test's own port and MMIO handlers throw.
  Outcome run(const FlatImage& image, const StartRegisters& start = {});

 private:
  [[nodiscard]] SystemTables tables_of(const Registers& registers) const;
  void check_has_paging(const std::string& what) const;
  void lay_out(const FlatImage& image, Registers& registers);
  [[nodiscard]] Recording record_start(const Registers& registers) const;
  void set_running(bool running);
  void check_not_running(const char* call) const;
  StopReason serve_exits(Outcome& outcome);
  std::optional<StopReason> serve(const kvm::Exit& exit, Outcome& outcome);
  std::optional<StopReason> serve_port(const kvm::IoExit& io, Outcome& outcome);
  void serve_mmio(const kvm::MmioExit& mmio, Outcome& outcome);
  void serve_msr(const kvm::MsrExit& exit, Outcome& outcome);
  void record_handler_writes();
  [[nodiscard]] StopReason explain_internal_error(const kvm::InternalErrorExit& error) const;
  void tell(const FlatImage& image, const Registers& first, Outcome& outcome);
  [[nodiscard]] bool halted_where_it_seems(const Registers& registers) const;

  CpuMode mode_;
  GuestMemory memory_;  // outlives the VM, whose slots it backs
  Registers registers_;
  AddressMap address_map_;
  StartDescriptors descriptors_;
  unsigned cpl_ = 0;
  std::map<Msr, std::uint64_t> start_msrs_;
  kvm::Cpuid cpuid_;
  PortBus ports_;
  MmioBus mmio_;
  MsrBus msr_bus_;
  std::chrono::milliseconds timeout_ = kDefaultTimeout;

  std::optional<GuestVm> vm_;
  std::shared_ptr<Recording> recording_;  // of the run that there is
  std::uint64_t accesses_ = 0;            // of that run, to ports, MMIO and MSRs
  unsigned physical_bits_ = 52;
  bool has_run_ = false;                     // the VM that there is has been used
  bool has_ended_ = false;                   // and what came of it is known
  std::optional<Registers> last_registers_;  // unless they are lost
  bool is_running_ = false;
};

}  // namespace hltest
