; Broken: a selector of the LDT, and there is none.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, 0x0C
fault:  mov     fs, ax
        hlt
