; Broken: fills the memory that holds its own code.
; Expects: real mode.
; Leaves: #UD at `fault`, where FF FF has replaced HLT.
        org     HLTEST_LOAD_ADDRESS
        mov     di, fault
        mov     cx, 4
        mov     al, 0xFF
        rep     stosb
fault:  hlt
        nop
        nop
        nop
