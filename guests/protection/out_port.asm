; Writes to a port, which at CPL 3 requires IOPL = 3 or an I/O permission bitmap.
; Expects: AL: the byte.
; Leaves:  COM1: the byte; #GP(0) without the permission.
        mov     dx, HLTEST_COM1
        out     dx, al
        hlt
