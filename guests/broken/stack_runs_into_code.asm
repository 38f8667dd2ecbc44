; Broken: the stack begins right after the code and grows down into it.
; Expects: real mode.
; Leaves: #UD at `fault`, which the pushed FFFF has overwritten.
        org     HLTEST_LOAD_ADDRESS
        mov     sp, end
        mov     ax, 0xFFFF
        push    ax
        push    ax
        push    ax
        push    ax
fault:  nop
        nop
        nop
        nop
        nop
        nop
        hlt
end:
