; Broken: `bits 32` comes before the far jump, so the 16-bit CPU decodes it as a jump to selector 0.
; Expects: real mode.
; Leaves: #GP(0) at `fault`, in 16-bit protected mode.
        org     HLTEST_LOAD_ADDRESS
        bits    16
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        bits    32
fault:  jmp     gdt.code:protected_mode

protected_mode:
        hlt

%include "flat_gdt.inc"
