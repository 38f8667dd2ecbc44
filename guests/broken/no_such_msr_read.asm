; Broken: reads an MSR that no processor has.
; Leaves: #GP(0) at `fault`, in protected mode.
        mov     ecx, 0x12345678
fault:  rdmsr
        hlt
