; Broken: uses MMX while CR0.TS is set.
; Leaves: #NM at `fault`, in protected mode.
        mov     eax, cr0
        or      eax, 1 << 3
        mov     cr0, eax
fault:  movd    mm0, eax
        hlt
