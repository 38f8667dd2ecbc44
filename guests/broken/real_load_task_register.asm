; Broken: an instruction that protected mode has, and real mode not.
; Leaves: #UD at `fault`, in real mode.
        mov     ax, 8
fault:  ltr     ax
        hlt
