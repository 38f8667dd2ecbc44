; Reads the special registers that a long-mode guest sees, and multiplies in 64 bits.
; Expects: CPL 0. RBX: a factor.
; Leaves:  R8: CR0, R9: CR3, R10: CR4, R11: EFER, R12: CS, RDI: RBX * 0x100000001.
;          RAX, RCX and RDX are changed.
IA32_EFER equ   0xC0000080

        mov     r8, cr0
        mov     r9, cr3
        mov     r10, cr4
        mov     ecx, IA32_EFER
        rdmsr
        shl     rdx, 32
        mov     r11d, eax
        or      r11, rdx
        xor     r12d, r12d
        mov     r12w, cs
        mov     rdi, 0x100000001
        imul    rdi, rbx
        hlt
