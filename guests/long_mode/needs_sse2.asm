; Checks CPUID for SSE2, as a loader does before using it.
; Expects: nothing.
; Leaves:  COM1: "y" or "n". EAX to EDX are changed.
SSE2    equ     1 << 26

        mov     eax, 1
        cpuid
        mov     al, 'n'
        test    edx, SSE2
        jz      .tell
        mov     al, 'y'
.tell:  mov     dx, HLTEST_COM1
        out     dx, al
        hlt
