; Executes UD2.
; Expects: nothing.
; Leaves:  #UD at the first byte.
        ud2
        hlt                             ; not reached
