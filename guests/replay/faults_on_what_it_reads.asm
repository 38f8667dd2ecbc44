; Reads two ports, an MMIO address, and a word of RAM that the test's handler has written, then
; writes where their sum points to.
; Expects: ports 0x60 and 0x61, MMIO at 0xFEC00000, the word at 0x5000.
; Leaves:  ESI: the sum; UD2 at `fault` with an IDT that has no gates, so a triple fault, if the sum is
;          not 0.
        org     HLTEST_LOAD_ADDRESS
        xor     esi, esi
        xor     eax, eax
        in      al, 0x60
        add     esi, eax
        in      al, 0x61
        add     esi, eax
        add     esi, [0xFEC00000]
        movzx   eax, word [0x5000]
        add     esi, eax
        jz      zero
        lidt    [empty_idt]
fault:  ud2
zero:   hlt

empty_idt:
        dw      0
        dd      0
