#pragma once

#include <vector>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/paging_mode.h>
#include <hltest/x86/registers.h>

#include "x86/registers/processor_state.h"

namespace hltest::internal {

/// The start state's registers (see start_state.h) for a guest whose RAM below 4 GiB ends at
/// `end_of_ram`. RIP is 0 and CR3 where the first page table will be. Throws `SetupError` for a
/// mode that no guest can start in.
Registers default_registers(CpuMode mode, Gpa end_of_ram);

/// Sets the control registers for page tables of this mode, which are where the start state has
/// them: CR0.PG and WP, CR3, CR4.PSE, PAE and LA57, EFER.NXE (EFER.LME and LMA stay as they are).
void set_paging_registers(PagingMode mode, Registers& registers);

/// Sets the segment registers, EFER.SCE and nothing else for code at this privilege level, 0 or 3.
void set_privilege(unsigned cpl, CpuMode mode, Registers& registers);

/// What a guest that starts at CPL 3 finds in the MSRs of SYSCALL and SYSENTER: both lead to the
/// framework's handlers (SDM vol. 3, 5.8.7 and 5.8.8).
std::vector<MsrValue> system_call_msrs(CpuMode mode);

}  // namespace hltest::internal
