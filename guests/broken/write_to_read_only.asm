; Broken: writes to a page that the test maps read-only at 0x40000000.
; Leaves: #PF at `fault`, in long mode.
        mov     ebx, 0x40000000
fault:  mov     [rbx], eax
        hlt
