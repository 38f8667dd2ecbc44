; Broken: divides without clearing the upper half of the 128-bit dividend.
; Leaves: #DE at `fault`, in long mode.
        mov     rdx, 9
        xor     eax, eax
        mov     ecx, 3
fault:  div     rcx
        hlt
