; Broken: the IDT for 64-bit mode consists of 8-byte gates.
; Expects: long mode.
; Leaves: #DE at `fault`, which cannot be delivered: the CPU reads two gates as one.
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
