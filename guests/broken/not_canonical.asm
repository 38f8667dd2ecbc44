; Broken: reads an address that is not canonical.
; Leaves: #GP(0) at `fault`, in long mode.
        mov     rbx, 0x0000800000000000
fault:  mov     rax, [rbx]
        hlt
