; Broken: loads a selector of the LDT when no LDT is loaded.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, 0x0C
fault:  mov     fs, ax
        hlt
