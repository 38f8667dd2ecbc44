; Reads its segment selectors and pushes one, which needs a stack.
; Expects: a stack.
; Leaves:  AX: CS, BX: SS, CX: DS, DX: CS again, from the stack.
        mov     ax, cs
        mov     bx, ss
        mov     cx, ds
        push    ax
        pop     dx
        hlt
