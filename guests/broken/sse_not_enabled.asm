; Broken: uses SSE before CR4.OSFXSR is set.
; Leaves: #UD at `fault`, in protected mode.
fault:  movaps  xmm0, [0x2000]
        hlt
