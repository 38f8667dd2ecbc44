; Makes a far call. With the selector of a call gate, the CPU ignores the offset.
; Expects: `target`, the operand, at 0x5000: a 32-bit offset and a selector.
; Leaves:  what the callee leaves.
        push    dword 0x1111            ; a parameter for the callee
        call    far [0x5000]
        hlt
