; Adds four pairs of 32-bit integers with one SSE2 instruction.
; Expects: SSE enabled; RSI, RDI: two 16-byte aligned vectors.
; Leaves:  the sums at RDI; XMM0 is changed.
        movdqa  xmm0, [rdi]
        paddd   xmm0, [rsi]
        movdqa  [rdi], xmm0
        hlt
