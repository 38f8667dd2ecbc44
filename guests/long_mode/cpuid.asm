; Executes CPUID.
; Expects: EAX: the leaf, ECX: the subleaf.
; Leaves:  EAX, EBX, ECX, EDX: the result.
        cpuid
        hlt
