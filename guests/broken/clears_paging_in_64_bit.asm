; Broken: clears CR0.PG in 64-bit mode; that requires compatibility mode.
; Leaves: #GP(0) at `fault`, in long mode.
        mov     rax, cr0
        btr     rax, 31
fault:  mov     cr0, rax
        hlt
