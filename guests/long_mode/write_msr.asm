; Writes a model-specific register.
; Expects: ECX: its address, RAX: the value; CPL 0.
; Leaves:  the MSR written; #GP if there is no such MSR. RDX is changed.
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        hlt
