; Broken: MOV CR3 at CPL 3.
; Leaves: #GP(0) at `fault`, at CPL 3.
        xor     eax, eax
fault:  mov     cr3, rax
        hlt
