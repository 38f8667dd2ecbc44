; Broken: the far jump uses the entry's index in the GDT, 1, instead of its selector, 8.
; Expects: real mode.
; Leaves: #GP(0) at `fault`, in 16-bit protected mode.
        org     HLTEST_LOAD_ADDRESS
        bits    16
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
fault:  jmp     gdt.code / 8:protected_mode

        bits    32
protected_mode:
        hlt

%include "flat_gdt.inc"
