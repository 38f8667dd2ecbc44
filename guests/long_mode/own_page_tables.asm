; Builds 4-level page tables of its own and loads them: the first 2 MiB to themselves, the tables
; through a recursive slot, and a higher-half window of two pages of 4 KiB.
; Expects: RAM at 0x20000 to 0x25FFF for the tables, 64-bit mode at CPL 0.
; Leaves:  CR3 = 0x20000. PML4[0]: 0-0x1FFFFF, writable. PML4[510]: the PML4 itself. PML4[511]:
;          0xFFFFFFFF80000000 -> 0x100000 read-only, the next page -> 0x101000 writable, no-execute.
;          RAX: what was at 0x101000, read through the window. The framework's tables are gone.
PRESENT     equ 1 << 0
WRITABLE    equ 1 << 1
LARGE       equ 1 << 7
NO_EXECUTE  equ 1 << 63
PML4        equ 0x20000
LOW_PDPT    equ 0x21000
LOW_PD      equ 0x22000
HIGH_PDPT   equ 0x23000
HIGH_PD     equ 0x24000
HIGH_PT     equ 0x25000
RECURSIVE   equ 510
WINDOW      equ 0xFFFFFFFF80000000

        xor     eax, eax
        mov     edi, PML4
        mov     ecx, 6 * 4096 / 8
        rep     stosq

        mov     qword [PML4], LOW_PDPT | PRESENT | WRITABLE
        mov     qword [LOW_PDPT], LOW_PD | PRESENT | WRITABLE
        mov     qword [LOW_PD], PRESENT | WRITABLE | LARGE

        mov     qword [PML4 + RECURSIVE * 8], PML4 | PRESENT | WRITABLE

        mov     qword [PML4 + 511 * 8], HIGH_PDPT | PRESENT | WRITABLE
        mov     qword [HIGH_PDPT + 510 * 8], HIGH_PD | PRESENT | WRITABLE
        mov     qword [HIGH_PD], HIGH_PT | PRESENT | WRITABLE
        mov     qword [HIGH_PT], 0x100000 | PRESENT
        mov     rax, NO_EXECUTE | 0x101000 | PRESENT | WRITABLE
        mov     [HIGH_PT + 8], rax

        mov     eax, PML4
        mov     cr3, rax
        mov     rbx, WINDOW + 4096
        mov     rax, [rbx]
        hlt
