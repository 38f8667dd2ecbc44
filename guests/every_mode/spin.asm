; Jumps to itself, for ever.
; Expects: nothing.
; Leaves:  nothing: it never halts.
        jmp     $
