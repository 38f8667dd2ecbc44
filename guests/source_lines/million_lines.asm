; From line 1,000,000 on, the columns of NASM's listing move to the right.
; Expects: nothing.
; Leaves:  a halted CPU.
%line 999998+1 million_lines.asm
        nop
        mov     ax, 5
        db      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
%macro  stop 0
        hlt
%endmacro
        stop
%line 12345678+1 million_lines.asm
end:    hlt
