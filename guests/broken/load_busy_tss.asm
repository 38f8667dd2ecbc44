; Broken: LTR with the current TSS, which is already busy.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, HLTEST_TSS_SELECTOR
fault:  ltr     ax
        hlt
