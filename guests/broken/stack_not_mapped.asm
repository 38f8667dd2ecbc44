; Broken: the stack is moved to unmapped memory.
; Expects: long mode, and nothing mapped at 0x40000000; the IDT of the start state is made useless first.
; Leaves: #PF for the write of CALL at `fault`.
        org     HLTEST_LOAD_ADDRESS
        lidt    [empty_idt]
        mov     rsp, 0x40000000
fault:  call    routine
        hlt
routine:
        ret

empty_idt:
        dw      0
        dq      0
