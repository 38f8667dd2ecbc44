; Broken: a 64-bit division whose dividend has a stale upper half.
; Leaves: #DE at `fault`, in long mode.
        mov     rdx, 9
        xor     eax, eax
        mov     ecx, 3
fault:  div     rcx
        hlt
