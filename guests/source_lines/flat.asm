; Has no `org`, so its labels move with the load address.
; Expects: nothing.
; Leaves:  AL: 5.
VALUE   equ     5

        mov     al, VALUE
end:    hlt
