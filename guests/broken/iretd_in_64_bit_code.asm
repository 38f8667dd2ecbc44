; Broken: a 64-bit handler returns with a 32-bit IRET, which reads its frame in units of 4 bytes.
; Expects: long mode.
; Leaves: #GP(0) at `fault`: IRET reads the upper half of RIP, 0, as CS.
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
