; Has no `org`: its labels are where it is loaded.
; Expects: nothing.
; Leaves:  AL: 5.
VALUE   equ     5

        mov     al, VALUE
end:    hlt
