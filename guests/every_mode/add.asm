; Adds two 16-bit numbers.
; Expects: AX, BX: the numbers.
; Leaves:  AX: the sum, with the flags that ADD sets.
        add     ax, bx
        hlt
