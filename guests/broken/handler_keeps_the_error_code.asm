; Broken: the handler for #PF does not take the error code off the stack before IRETQ.
; Expects: long mode.
; Leaves: #GP at `fault`, because IRETQ reads the low half of the RIP that the #PF pushed as CS.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        mov     ebx, 0x40000000
        align   8, nop
.read:  mov     rax, [rbx]
        hlt

page_fault:
        mov     ebx, 0x2000
fault:  iretq

        align   8
idt:    times 14 dq 0, 0
        dw      HLTEST_LOAD_ADDRESS + (page_fault - $$)
        dw      HLTEST_CODE64_SELECTOR
        dq      0x8E00
        dd      0
.register:
        dw      $ - idt - 1
        dq      idt
