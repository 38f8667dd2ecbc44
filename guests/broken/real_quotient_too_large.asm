; Broken: the upper half of the dividend was not cleared.
; Leaves: #DE at `fault`, in real mode.
        mov     dx, 5
        mov     ax, 1
        mov     bx, 2
fault:  div     bx
        hlt
