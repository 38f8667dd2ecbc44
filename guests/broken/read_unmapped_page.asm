; Broken: reads beyond the memory that is mapped.
; Leaves: #PF at `fault`, in long mode.
        mov     rbx, 0x40000000
fault:  mov     rax, [rbx]
        hlt
