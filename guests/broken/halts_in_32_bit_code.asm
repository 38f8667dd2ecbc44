; Broken: assembles 32-bit code but never jumps to a 32-bit segment, so the CPU decodes it as 16-bit code.
; Expects: real mode.
; Leaves: HLT in real mode, AX = 0x1234 and not EAX = 0x12345678.
        bits    16
        nop
        bits    32
        mov     eax, 0x12345678
        hlt
