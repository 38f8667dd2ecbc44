; Broken: OUT at CPL 3 without IOPL.
; Leaves: #GP(0) at `fault`, at CPL 3.
        mov     al, 1
fault:  out     0x80, al
        hlt
