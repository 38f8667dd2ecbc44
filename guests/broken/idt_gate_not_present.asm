; Broken: the gate for #DE is not present (P = 0).
; Expects: protected mode.
; Leaves: #DE at `fault`, which cannot be delivered.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        xor     ebx, ebx
fault:  div     ebx
        hlt

        align   8
idt:    dq      0x00000E0000081000
.register:
        dw      $ - idt - 1
        dd      idt
