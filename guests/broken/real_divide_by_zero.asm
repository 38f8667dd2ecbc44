; Broken: divides by a count that nobody set.
; Leaves: #DE at `fault`, in real mode.
        mov     ax, 100
        xor     dx, dx
        xor     bx, bx
fault:  div     bx
        hlt
