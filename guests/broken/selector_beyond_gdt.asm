; Broken: loads a data selector beyond the end of the GDT.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, 0x1000
fault:  mov     ds, ax
        hlt
