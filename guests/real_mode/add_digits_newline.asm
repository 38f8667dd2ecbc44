; Adds two digits and prints the sum to a serial port, as one character and a newline.
; Expects: AL, BL: the digits, as numbers; their sum is at most 9.
; Leaves:  COM1: the sum in ASCII, then 0x0A: only backquotes make `\n` a newline in NASM.
;          AL and DX are changed.
        org     HLTEST_LOAD_ADDRESS

        mov     dx, HLTEST_COM1
        add     al, bl
        add     al, '0'
        out     dx, al
        mov     al, `\n`
        out     dx, al
        hlt
