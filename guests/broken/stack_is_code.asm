; Broken: loads SS with the code segment.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, HLTEST_CODE32_SELECTOR
fault:  mov     ss, ax
        hlt
