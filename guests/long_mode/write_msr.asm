; Writes a model-specific register.
; Expects: ECX: its address, RAX: the value; CPL 0.
; Leaves:  the MSR written; #GP where there is none. RDX is changed.
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        hlt
