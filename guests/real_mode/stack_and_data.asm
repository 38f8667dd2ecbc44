; Uses the stack and its own data: pushes a word from its image, pops it and stores it.
; Expects: SS:SP with room for a word.
; Leaves:  the word at `stored` holds what `given` holds; SP is as before; AX is changed.
        org     HLTEST_LOAD_ADDRESS

        push    word [given]
        pop     ax
        mov     [stored], ax
        hlt

given:  dw      0xBEEF
stored: dw      0
