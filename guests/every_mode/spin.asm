; Jumps to itself forever.
; Expects: nothing.
; Leaves:  nothing: it never halts.
        jmp     $
