; Broken: CR3 is not where the page tables are, but where there are zeros.
; Expects: protected mode, zeros at 0x7000.
; Leaves: #PF for the fetch at `fault`, in compatibility mode.
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
        mov     eax, 0x7000
        mov     cr3, eax
        mov     ecx, IA32_EFER
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
fault:  jmp     $
        hlt
