; Jumps to unbacked memory.
; Expects: no memory at 0xE0000000.
; Leaves:  nothing: the processor has nothing to execute.
        mov     eax, 0xE0000000
        jmp     eax
