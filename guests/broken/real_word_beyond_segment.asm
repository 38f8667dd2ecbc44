; Broken: reads a word at the last byte of the segment.
; Leaves: #GP at `fault`, in real mode.
        mov     bx, 0xFFFF
fault:  mov     ax, [bx]
        hlt
