; Broken: 64-bit code follows on CR0.PG without the far jump: CS is still 32-bit.
; Expects: protected mode, zeros from 0x8000 on.
; Leaves: #GP(0) at `fault`, in compatibility mode.
IA32_EFER   equ 0xC0000080
PML4        equ 0x8000
PDPT        equ 0x9000
PD          equ 0xA000

        org     HLTEST_LOAD_ADDRESS
        mov     dword [PML4], PDPT | 3
        mov     dword [PDPT], PD | 3
        mov     dword [PD], 0x83
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, IA32_EFER
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax

        bits    64
        mov     ax, 0
fault:  mov     ss, ax
        hlt
