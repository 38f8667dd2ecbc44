; Broken: enables paging in real mode, before setting PE.
; Leaves: #GP at `fault`, in real mode.
        mov     eax, cr0
        or      eax, 1 << 31
fault:  mov     cr0, eax
        hlt
