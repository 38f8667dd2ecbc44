; Broken: loads SS with a null selector.
; Leaves: #GP(0) at `fault`, in protected mode.
        xor     eax, eax
fault:  mov     ss, ax
        hlt
