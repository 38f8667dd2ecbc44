; Broken: turns paging on in real mode, before PE.
; Leaves: #GP at `fault`, in real mode.
        mov     eax, cr0
        or      eax, 1 << 31
fault:  mov     cr0, eax
        hlt
