; Reads a model-specific register.
; Expects: ECX: its address; CPL 0.
; Leaves:  RAX: its value; #GP where there is none. EDX is changed.
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        hlt
