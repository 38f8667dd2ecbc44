; Broken: LIDT is given the table in place of the limit and base behind it.
; Expects: protected mode.
; Leaves: #UD at `fault`, which can't be delivered: the IDT is where there is no memory.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt]
fault:  ud2
        hlt

        align   8
idt:    dq      0x00008E0000080000 | HLTEST_LOAD_ADDRESS
.register:
        dw      $ - idt - 1
        dd      idt
