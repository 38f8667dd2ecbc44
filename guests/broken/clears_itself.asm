; Broken: fills memory where it is itself.
; Expects: real mode.
; Leaves: #UD at `fault`, where FF FF stands in place of HLT.
        org     HLTEST_LOAD_ADDRESS
        mov     di, fault
        mov     cx, 4
        mov     al, 0xFF
        rep     stosb
fault:  hlt
        nop
        nop
        nop
