; Adds up bytes.
; Expects: ESI: the first byte, ECX: how many there are (not 0).
; Leaves:  AL: their sum modulo 256. ECX and ESI are changed.
        xor     eax, eax
.next:  add     al, [esi]
        inc     esi
        loop    .next
        hlt
