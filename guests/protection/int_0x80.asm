; Makes a system call with INT 0x80.
; Expects: a gate for vector 0x80 that CPL 3 may use.
; Leaves:  nothing changed.
        int     0x80
        hlt
