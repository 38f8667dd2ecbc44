; Broken: jumps to the null selector.
; Leaves: #GP(0) at `fault`, in protected mode.
fault:  jmp     0:0x1000
        hlt
