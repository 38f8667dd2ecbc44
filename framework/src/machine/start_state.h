#pragma once

#include <cstdint>
#include <vector>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/msr.h>
#include <hltest/x86/paging_mode.h>
#include <hltest/x86/registers.h>

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

/// The start state's registers, as above, for a guest whose RAM below 4 GiB ends at `end_of_ram`.
/// RIP is 0 and CR3 where the first page table will be.
/// Throws std::invalid_argument for a mode that no guest can start in yet.
Registers start_registers(CpuMode mode, Gpa end_of_ram);

/// Sets the control registers for page tables of this mode, which are where the start state has
/// them: CR0.PG and WP, CR3, CR4.PSE, PAE and LA57, EFER.NXE (EFER.LME and LMA stay as they are).
void set_paging_registers(PagingMode mode, Registers& registers);

/// Sets the segment registers, EFER.SCE and nothing else for code at this privilege level, 0 or 3.
void set_privilege(unsigned cpl, CpuMode mode, Registers& registers);

/// A model-specific register and its value.
struct MsrValue {
  Msr msr;
  std::uint64_t value;
};
/// What a guest that starts at CPL 3 finds in the MSRs of SYSCALL and SYSENTER: both lead to the
/// framework's handlers (SDM vol. 3, 5.8.7 and 5.8.8).
std::vector<MsrValue> system_call_msrs(CpuMode mode);

}  // namespace hltest
