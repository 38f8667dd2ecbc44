; Broken: clears CR4.PAE in long mode.
; Leaves: #GP(0) at `fault`, in long mode.
        xor     eax, eax
fault:  mov     cr4, rax
        hlt
