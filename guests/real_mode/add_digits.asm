; Adds two digits and prints the sum to a serial port, as one character and an end-of-line.
; Expects: AL, BL: the digits, as numbers; their sum is at most 9.
; Leaves:  COM1: the sum in ASCII, then 0x5C: in plain quotes, NASM reads '\n' as two characters,
;          and AL holds only the first, the backslash. AL and DX are changed.
        org     HLTEST_LOAD_ADDRESS

        mov     dx, HLTEST_COM1
        add     al, bl
        add     al, '0'
        out     dx, al
        mov     al, '\n'
        out     dx, al
        hlt
