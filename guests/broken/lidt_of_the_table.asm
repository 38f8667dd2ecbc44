; Broken: the operand of LIDT is the table itself instead of the limit and base that follow it.
; Expects: protected mode.
; Leaves: #UD at `fault`, which cannot be delivered: the IDT is in unbacked memory.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt]
fault:  ud2
        hlt

        align   8
idt:    dq      0x00008E0000080000 | HLTEST_LOAD_ADDRESS
.register:
        dw      $ - idt - 1
        dd      idt
