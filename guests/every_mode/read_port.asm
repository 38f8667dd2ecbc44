; Reads port 0x60 five times: three bytes, a word and a dword.
; Expects: nothing.
; Leaves:  BL, CL, DL: the bytes; SI: the word; EAX: the dword.
        xor     eax, eax
        in      al, 0x60
        mov     ebx, eax
        in      al, 0x60
        mov     ecx, eax
        in      al, 0x60
        mov     edx, eax
        in      ax, 0x60
        mov     esi, eax
        in      eax, 0x60
        hlt
