; Broken: a user program loads the kernel's data segment.
; Leaves: #GP with the selector at `fault`, at CPL 3.
        mov     ax, HLTEST_DATA_SELECTOR
fault:  mov     fs, ax
        hlt
