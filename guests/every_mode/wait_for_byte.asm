; Waits until the keyboard controller has a byte.
; Expects: port 0x64: status, bit 0 set when there is one.
; Leaves:  AL: the status. Waits forever if there is none.
ready:   in      al, 0x64
        test    al, 1
        jz      ready
        hlt
