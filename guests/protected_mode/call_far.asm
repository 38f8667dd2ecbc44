; Calls far, through the selector alone as a call gate has it.
; Expects: `target`, the operand, at 0x5000: a 32-bit offset and a selector.
; Leaves:  what the callee leaves.
        push    dword 0x1111            ; a parameter for the callee
        call    far [0x5000]
        hlt
