; Reads a byte from one port, adds one and writes it to another: every kind of VM exit that a plain
; program causes.
; Expects: port 0x60 answers with a byte.
; Leaves:  port 0xE9: the byte plus one. AL is changed.
        in      al, 0x60
        inc     al
        out     HLTEST_DEBUG_CONSOLE, al
        hlt
