; Broken: reads through a segment register that holds a null selector.
; Leaves: #GP(0) at `fault`, in protected mode.
        xor     eax, eax
        mov     es, ax
fault:  mov     eax, [es:0x1000]
        hlt
