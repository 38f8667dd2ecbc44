; Broken: jumps to the selector of a data segment.
; Leaves: #GP with the selector at `fault`, in protected mode.
fault:  jmp     HLTEST_DATA_SELECTOR:0x1000
        hlt
