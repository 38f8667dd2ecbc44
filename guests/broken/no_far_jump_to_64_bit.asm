; Broken: 64-bit code follows the setting of CR0.PG without a far jump: CS is still 32-bit.
; Expects: protected mode, zeros from 0x8000 on.
; Leaves: #GP(0) at `fault`, in compatibility mode.
        org     HLTEST_LOAD_ADDRESS
%include "to_long_mode.inc"

        bits    64
        mov     ax, 0
fault:  mov     ss, ax
        hlt
