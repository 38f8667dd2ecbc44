; Calls the code at the address in EBX.
; Expects: EBX: code that returns.
; Leaves:  what that code does.
        call    ebx
        hlt
