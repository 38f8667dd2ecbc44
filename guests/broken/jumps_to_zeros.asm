; Broken: jumps to a kernel that nobody has loaded.
; Expects: protected mode, zeros from 0xFFF000 to the end of RAM at 0x1000000.
; Leaves: a fetch from unbacked memory after the zeros.
        org     HLTEST_LOAD_ADDRESS
        mov     eax, 0xFFF000
        jmp     eax
