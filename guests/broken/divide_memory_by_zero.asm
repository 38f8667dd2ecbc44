; Broken: divides by a variable that is still 0.
; Leaves: #DE at `fault`, in long mode.
        mov     eax, 7
        xor     edx, edx
fault:  div     dword [0x2000]
        hlt
