; Broken: LTR with the TSS that is loaded already, so busy.
; Leaves: #GP with the selector at `fault`, in protected mode.
        mov     ax, HLTEST_TSS_SELECTOR
fault:  ltr     ax
        hlt
