; Broken: a user program reads the system region, which only the supervisor may access.
; Leaves: #PF at `fault`, at CPL 3.
        mov     ebx, HLTEST_SYSTEM_REGION
fault:  mov     rax, [rbx]
        hlt
