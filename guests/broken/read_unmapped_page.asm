; Broken: reads beyond the mapped memory.
; Leaves: #PF at `fault`, in long mode.
        mov     rbx, 0x40000000
fault:  mov     rax, [rbx]
        hlt
