#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <hltest/bios.h>
#include <hltest/device.h>
#include <hltest/image.h>
#include <hltest/interrupt_moment.h>
#include <hltest/memory.h>
#include <hltest/outcome.h>
#include <hltest/scripts.h>
#include <hltest/service.h>
#include <hltest/start_registers.h>
#include <hltest/start_state.h>

namespace hltest {

namespace internal {
struct MachineParts;
}

/// One guest, from the start state of its mode to its end. What a run does, in order:
///
///   1. lay out  the start state, the image and the framework's tables, as a snapshot
///   2. start    a new VM with it: memory slots, CPUID, registers
///   3. run      until something ends it: exits are answered on the bus, and logged
///   4. tell     what happened: the Outcome
///
/// Everything is changed before `run`, and the machine needs no KVM before it. A device or a
/// function of the test's may change scripts and the contents of memory while the guest runs, and
/// nothing else. One thread at a time may use a machine; different machines are independent.
class Machine {
 public:
  static constexpr std::chrono::milliseconds kDefaultTimeout{5000};

  /// A machine with 16 MiB of memory in the start state of `mode` (see start_state.h).
  /// Throws `SetupError` for a mode that no guest can start in.
  explicit Machine(CpuMode mode);
  /// A moved-from machine throws `SetupError` whatever is asked of it.
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// Creates the VM now, which `run` would do otherwise.
  /// Throws `KvmUnavailable` where this host has no usable KVM.
  void create_vm();

  /// What the guest starts with.
  [[nodiscard]] const StartState& start_state() const;
  /// What the processor starts with. While a guest runs, a device sees its registers in
  /// `GuestView`.
  [[nodiscard]] RegisterSettings& registers();
  [[nodiscard]] GuestMemory& memory();
  /// What CPUID shows the guest.
  [[nodiscard]] CpuidEdits& cpuid();

  /// Scripts of the test's for the guest's accesses.
  [[nodiscard]] PortScripts& ports();
  [[nodiscard]] MmioScripts& mmio();
  [[nodiscard]] MsrScripts& msrs();
  /// Puts a device on the bus. Throws `SetupError` for an empty range, and for one that overlaps
  /// another device's or script's; `run` throws for MMIO where there is memory.
  void attach(PortRange range, std::shared_ptr<Device> device);
  void attach(MmioRange range, std::shared_ptr<Device> device);
  void attach(MsrRange range, std::shared_ptr<Device> device);

  /// Serves a vector, in any mode: when the guest comes to the framework's handler for it, by INT n
  /// or by an exception, `function` gets the registers from before and may change them and the
  /// guest's memory; then the guest goes on with them. Arguments: `Registers&`, or `Registers&,
  /// GuestView&`, or `ServiceCall&, GuestView&`. One that returns false has not served the call,
  /// and the service that the vector had before is asked. Throws `SetupError` for an empty
  /// function.
  template <ServesInterrupts Function>
  void on_interrupt(Vector vector, Function function) {
    if constexpr (internal::kIsFunction<Function>) {
      if (function == nullptr) refuse_empty_service(vector);
    }
    add_service(vector, service(std::move(function)));
  }

  /// Interrupts the guest with `vector`, unless `moment` says otherwise at its first HLT with
  /// interrupts enabled: a handler of the guest's can be tested so, in any mode, without a device.
  /// In place of an earlier call for this vector. Throws `SetupError` for 0 HLTs and for an empty
  /// condition; `run` does for a label that the image does not have, and for more than four
  /// addresses and labels.
  void interrupt(Vector vector, InterruptMoment moment = AtHalts{});
  /// The same with an NMI, which is delivered whether interrupts are enabled or not.
  void nmi(InterruptMoment moment = AtHalts{});

  /// What the BIOS of `boot` is like.
  [[nodiscard]] Bios& bios();
  /// Puts a disk into a drive, in place of another. The disk after a run is the outcome's.
  void insert(Drive drive, Disk disk);

  /// Bytes of RAM: a multiple of 4 KiB, several GiB if need be. What is not touched costs nothing;
  /// what the test writes is kept twice, once for the runs that follow. The start state's stack
  /// pointer moves with the end of RAM. Throws `MemoryError`.
  void set_memory_size(std::uint64_t size);
  /// In real mode: whether the guest may write to the BIOS ROM segment, 0xF0000 to 0xFFFFF, which a
  /// test can fill from 0xF2000 on. It may not unless this is called.
  void set_rom_writable(bool writable);
  /// In real mode: whether the A20 gate is open when the guest starts, as it is unless this is
  /// called. While it is closed, addresses from 1 to 2 MiB are those from 0 to 1 MiB. A guest of
  /// `boot` opens it by INT 15h, by port 92h or by the keyboard controller. Throws `SetupError` in
  /// other modes.
  void set_a20(bool is_open);

  /// The paging that the guest starts with: none (the start state), 32-bit or PAE in protected
  /// mode, 4-level (the start state) or 5-level in long mode. Changes the defaults of the control
  /// registers: CR0.PG, CR0.WP, CR3, CR4.PSE, PAE and LA57, and with PAE paging EFER.NXE. To be
  /// called before `map`. Throws `SetupError` for one that the start mode can't have. Not every KVM
  /// can run each.
  void set_paging(PagingMode mode);
  /// Adds a mapping to the page tables that the guest starts with, which map RAM and the system
  /// region to themselves. Throws `PagingError`; where it overlaps the identity map, `run` does.
  void map(const PageMapping& mapping);
  /// Replaces what is mapped there, the identity map's part too. Throws `PagingError`.
  void remap(const PageMapping& mapping);
  /// Takes `size` bytes from `gva` on out of all mappings, the identity map too. Throws
  /// `PagingError`.
  void unmap(Gva gva, std::uint64_t size);
  /// Puts the page tables into RAM, one after the other from `first_table` on (4 KiB aligned), in
  /// place of the system region. Throws `SetupError` without paging, `PagingError` when misaligned;
  /// `run` does where they don't fit, or lie over the image.
  void set_page_tables_at(Gpa first_table);

  /// The privilege level that the guest starts at: 0 (the start state) or 3. Changes the defaults
  /// of the segment registers and EFER.SCE, makes the identity-mapped RAM accessible for CPL 3, and
  /// leads SYSCALL and SYSENTER to the framework's handlers, which end the run as a `SystemCall`.
  /// Throws `SetupError` in real mode and for 1 and 2.
  void set_cpl(unsigned cpl);

  /// Puts a descriptor into the GDT (or, by the selector's TI, the LDT) that the guest starts with,
  /// beside the framework's entries (memory_layout.h; free from `kFirstFreeSelector` on) or in
  /// place of one. The segment registers stay as they are: load one with `segment`. Throws
  /// `DescriptorError`.
  void set_descriptor(std::uint16_t selector, const Descriptor& descriptor);
  /// Puts a gate (in real mode an `IvtEntry`) in place of the framework's handler for a vector.
  /// Throws `DescriptorError`.
  void set_gate(Vector vector, const Descriptor& gate);
  /// What a load of `selector` from those tables makes of a segment register; of TR or LDTR for a
  /// TSS (which becomes busy) or an LDT. Throws `DescriptorError` where they have no present
  /// segment for it.
  [[nodiscard]] Segment segment(std::uint16_t selector) const;

  /// The value that an MSR has when the guest starts. Throws `SetupError` for EFER, which is one of
  /// `registers()`; `run` does for an MSR that this KVM does not know, and a value it refuses.
  void set_msr(Msr msr, std::uint64_t value);
  /// The value that an MSR has now, after the run. Throws `SetupError` where none has ended, and
  /// for an MSR that this KVM does not know.
  [[nodiscard]] std::uint64_t msr(Msr msr) const;
  /// The x87, SSE and AVX registers that the guest starts with.
  void set_xstate(const XState& state);

  /// How long a run may take: 1 ms to 24 hours. Throws `SetupError`.
  void set_timeout(std::chrono::milliseconds timeout);

  /// Runs `image` to its end. `start` are registers to begin with in place of those above.
  ///
  /// Each run starts from what the test has set up: the RAM as the test wrote it (not as an earlier
  /// guest left it), scripts and devices as they were before their first run.
  ///
  /// Throws `SetupError`, `RegisterError`, `MemoryError` or `PagingError` before anything runs when
  /// the input makes no sense, `KvmUnavailable` without KVM, `HostError` when KVM refuses
  /// something, and what the test's own devices and functions throw.
  [[nodiscard]] Outcome run(const FlatImage& image, const StartRegisters& start = {});
  /// The same as a warm reset: a new VM and the image loaded anew, but with the RAM as the last run
  /// left it, and scripts and devices as they are.
  [[nodiscard]] Outcome rerun(const FlatImage& image, const StartRegisters& start = {});
  /// Boots from the disk in `drive`, as a BIOS does: the first sector is loaded at 0x7C00 and
  /// entered at 0000:7C00 in real mode, with DL the drive, AX = AA55h, SS:SP = 0000:6F00, IF = 1,
  /// the other registers 0 and the screen in text mode 3. INT 10h to 1Ah are served (bios.h).
  /// Throws `SetupError` for a drive without a disk, a sector without the signature, less than 1
  /// MiB of memory and a start mode other than real mode; and what `run` throws.
  [[nodiscard]] Outcome boot(Drive drive, const StartRegisters& start = {});

 private:
  void add_service(Vector vector, Service service);
  [[noreturn]] static void refuse_empty_service(Vector vector);
  [[nodiscard]] internal::MachineParts& parts() const;
  /// Throws `SetupError` while the guest runs.
  [[nodiscard]] internal::MachineParts& parts_for(const char* call) const;
  Outcome run_with(const FlatImage& image, const StartRegisters& start, bool is_warm);

  std::unique_ptr<internal::MachineParts> parts_;
};

}  // namespace hltest
