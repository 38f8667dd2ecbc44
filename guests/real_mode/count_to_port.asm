; Counts up from 0 and writes each number to a port, forever.
; Expects: nothing.
; Leaves:  port 0xFF: 0, 1, 2 ... as 16-bit values. It never halts.
        xor     ax, ax
.next:
        out     0xFF, ax
        inc     ax
        jmp     .next
