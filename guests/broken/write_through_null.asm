; Broken: writes to an address of the upper half where nothing is mapped.
; Leaves: #PF at `fault`, in long mode.
        mov     rbx, 0xFFFF800000000000
fault:  mov     byte [rbx], 1
        hlt
