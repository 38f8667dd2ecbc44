; Broken: a 64-bit handler returns by IRET with 32-bit operands, which takes its frame apart.
; Expects: long mode.
; Leaves: #GP(0) at `fault`: the upper half of RIP, 0, is taken for CS.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        ud2
        hlt

invalid_opcode:
        add     qword [rsp], 2
fault:  iretd

        align   8
idt:    times 6 dq 0, 0
        dw      HLTEST_LOAD_ADDRESS + (invalid_opcode - $$)
        dw      HLTEST_CODE64_SELECTOR
        dq      0x8E00
        dd      0
.register:
        dw      $ - idt - 1
        dq      idt
