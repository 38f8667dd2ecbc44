; Broken: EFER.LME is set and paging turned on, but CR4.PAE was forgotten.
; Leaves: #GP(0) at `fault`, in protected mode.
IA32_EFER equ   0xC0000080

        mov     ecx, IA32_EFER
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
fault:  mov     cr0, eax
        hlt
