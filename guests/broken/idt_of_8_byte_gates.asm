; Broken: an IDT for 64-bit mode that is made of 8-byte gates.
; Expects: long mode.
; Leaves: #DE at `fault`, which can't be delivered: two gates are taken for one.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        xor     ebx, ebx
fault:  div     ebx
        hlt

        align   8
idt:    times 32 dq 0x00008E0000181000
.register:
        dw      $ - idt - 1
        dq      idt
