; Broken: sets a reserved bit of EFER.
; Leaves: #GP(0) at `fault`, in protected mode.
        mov     ecx, 0xC0000080
        mov     eax, 1 << 5
        xor     edx, edx
fault:  wrmsr
        hlt
