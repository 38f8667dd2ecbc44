#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <hltest/address_map.h>
#include <hltest/memory_layout.h>
#include <hltest/register_settings.h>
#include <hltest/start_descriptors.h>
#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/cpuid.h>
#include <hltest/x86/msr.h>
#include <hltest/x86/paging_mode.h>
#include <hltest/x86/registers.h>
#include <hltest/x86/xstate.h>

/// The state in which a guest finds the machine. All general registers are 0 but for the stack
/// pointer, RFLAGS is 2 (interrupts off, direction up), RIP is the image's entry, and:
///
/// **Real mode** (`CpuMode::kReal16`): every segment has selector 0, base 0 and limit 0xFFFF;
/// SS:SP = 0000:FFF0, or 16 below the end of RAM that is smaller than 64 KiB. CR0 = 0x10 (ET).
/// The IVT is at 0, its limit 0x3FF. An image above 64 KiB is entered at CS = entry / 16.
///
/// **Protected mode** (`CpuMode::kProtected32`): flat 4 GiB segments (CS = 0x08, the others 0x10),
/// CPL 0, no paging. ESP = 16 below the end of the RAM below 4 GiB. CR0 = 0x31 (PE, ET, NE).
/// GDT, IDT and a TSS, loaded in TR, are in the system region.
///
/// **Long mode** (`CpuMode::kLong64`): 64-bit code at CPL 0 (CS = 0x18, the others 0x10), RSP as
/// ESP above. 4-level page tables map RAM and the system region to the same addresses in 2 MiB
/// pages (4 KiB pages where RAM ends), readable, writable and executable for CPL 0 to 2.
/// CR0 = 0x80010033 (PG, WP, NE, ET, MP, PE), CR4 = 0x620 (PAE, OSFXSR, OSXMMEXCPT: SSE works),
/// EFER = 0xD00 (LME, LMA, NXE). GDT, IDT and TSS as above.
///
/// **16-bit protected mode** (`CpuMode::kProtected16`): as protected mode, with 16-bit segments of
/// 64 KiB at base 0 (CS = 0x50, the others 0x58) and the stack pointer of real mode.
///
/// **Compatibility mode** (`CpuMode::kCompatibility32`, `kCompatibility16`): as long mode, but the
/// segments and the stack pointer of protected mode (32-bit) or of 16-bit protected mode.
///
/// **At CPL 3** (`Machine::set_cpl`): the segments of the mode with DPL 3 (CS = 0x3B, 0x2B or 0x63,
/// the others 0x33 or 0x6B); page tables let it access all RAM, but not the system region. EFER.SCE
/// is set, and SYSCALL and SYSENTER lead to the framework's handlers.
namespace hltest {

/// What a guest starts with besides its image and its RAM: a value, which a test changes by its
/// machine.
class StartState {
 public:
  /// The start state of `mode`, as above, with 16 MiB of RAM. Throws `SetupError` for a mode that
  /// no guest can start in.
  explicit StartState(CpuMode mode);

  [[nodiscard]] CpuMode mode() const { return mode_; }
  [[nodiscard]] std::uint64_t memory_size() const { return memory_size_; }
  /// In bytes. The default of the stack pointer moves with the end of RAM.
  void set_memory_size(std::uint64_t size);

  RegisterSettings registers{};
  std::map<Msr, std::uint64_t> msrs{};
  CpuidEdits cpuid{};
  /// x87, SSE and AVX; as after RESET unless it is given.
  std::optional<XState> xstate = std::nullopt;
  /// In real mode: whether the guest may write to the BIOS ROM segment.
  bool rom_is_writable = false;
  /// In real mode: whether the A20 gate is open.
  bool a20_is_open = true;

  /// 0 or 3. Throws `SetupError` for other levels, and in real mode for 3.
  [[nodiscard]] unsigned cpl() const { return cpl_; }
  void set_cpl(unsigned cpl);

  [[nodiscard]] const AddressMap& address_map() const { return address_map_; }
  /// Throws `SetupError` for a mode of paging that the start mode can't have.
  void set_paging(PagingMode mode);
  /// The address map, to be changed. Throws `SetupError`, which names `what`, without paging.
  [[nodiscard]] AddressMap& paging_for(const std::string& what);
  void set_page_tables_at(Gpa first_table);

  [[nodiscard]] const StartDescriptors& descriptors() const { return descriptors_; }
  void set_descriptor(std::uint16_t selector, const Descriptor& descriptor);
  void set_gate(Vector vector, const Descriptor& gate) { descriptors_.set_gate(vector, gate); }
  /// What a load of `selector` makes of a segment register, TR and LDTR too. Throws
  /// `DescriptorError` where the tables have nothing for it.
  [[nodiscard]] Segment segment(std::uint16_t selector) const;

 private:
  void update_defaults();

  CpuMode mode_;
  std::uint64_t memory_size_ = kMemorySize;
  unsigned cpl_ = 0;
  AddressMap address_map_;
  StartDescriptors descriptors_;
};

}  // namespace hltest
