; Broken: a data selector that the GDT has no entry for.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, 0x1000
fault:  mov     ds, ax
        hlt
