; Broken: LLDT with the selector of a data segment.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, HLTEST_DATA_SELECTOR
fault:  lldt    ax
        hlt
