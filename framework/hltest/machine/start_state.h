#pragma once

#include <cstdint>
#include <optional>

#include <hltest/machine/address_map.h>
#include <hltest/machine/guest_memory.h>
#include <hltest/x86/cpu_mode.h>
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
namespace hltest {

/// The start state's registers, as above, for a guest whose RAM below 4 GiB ends at `end_of_ram`.
/// RIP is 0 and CR3 where the first page table will be.
/// Throws std::invalid_argument for a mode that no guest can start in yet.
Registers start_registers(CpuMode mode, Gpa end_of_ram);

/// Sets the control registers for page tables of this mode, which are where the start state has
/// them: CR0.PG and WP, CR3, CR4.PSE, PAE and LA57, EFER.NXE (EFER.LME and LMA stay as they are).
void set_paging_registers(PagingMode mode, Registers& registers);

/// What a load of `selector` makes of the start state's GDT; nothing where that has no code or data
/// segment.
std::optional<Segment> start_segment(std::uint16_t selector);

/// Writes the framework's tables into the guest's memory: the HLTs that serve as handlers, IVT or
/// IDT, GDT, TSS and the page tables of `map`, if it has a paging mode. An IVT goes to address 0
/// unless `image_at_zero`, when it goes into the ROM. Returns where the IDT (IVT) is. Throws
/// `PagingError` where `map` and the identity map overlap.
DescriptorTable lay_out_system_region(GuestMemory& memory, CpuMode mode, const AddressMap& map,
                                      bool image_at_zero);

}  // namespace hltest
