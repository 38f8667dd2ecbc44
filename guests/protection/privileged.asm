; Executes an instruction that requires CPL 0.
; Expects: nothing.
; Leaves:  at CPL 3 #GP(0) on the CLTS; at CPL 0 CR0.TS clear.
        clts
        hlt
