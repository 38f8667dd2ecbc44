; Calls the code at the address in RBX.
; Expects: RBX: code that returns.
; Leaves:  what that code does.
        call    rbx
        hlt
