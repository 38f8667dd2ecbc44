; Broken: jumps to an address whose upper bits are missing.
; Leaves: #GP(0) at `fault`, in long mode.
        mov     rax, 0x0000FFFF80001000
fault:  jmp     rax
