; Reads a model-specific register.
; Expects: ECX: its address; CPL 0.
; Leaves:  RAX: its value; #GP if there is no such MSR. EDX is changed.
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        hlt
