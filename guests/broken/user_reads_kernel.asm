; Broken: a user program that reads the framework's region, the supervisor's.
; Leaves: #PF at `fault`, at CPL 3.
        mov     ebx, HLTEST_SYSTEM_REGION
fault:  mov     rax, [rbx]
        hlt
