; Broken: the far jump that ends the switch to protected mode targets the data segment.
; Expects: real mode.
; Leaves: #GP with the data segment's selector at `fault`, in 16-bit protected mode.
        org     HLTEST_LOAD_ADDRESS
        bits    16
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
fault:  jmp     gdt.data:protected_mode

        bits    32
protected_mode:
        hlt

%include "flat_gdt.inc"
