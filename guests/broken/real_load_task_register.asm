; Broken: an instruction that exists in protected mode only.
; Leaves: #UD at `fault`, in real mode.
        mov     ax, 8
fault:  ltr     ax
        hlt
