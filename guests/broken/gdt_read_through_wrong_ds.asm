; Broken: DS is not the segment of LGDT's operand, so LGDT loads zeros.
; Expects: real mode, zeros at 0x20000.
; Leaves: #GP with the code segment's selector at `fault`, in 16-bit protected mode.
        org     HLTEST_LOAD_ADDRESS
        bits    16
        mov     ax, 0x1F00
        mov     ds, ax
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
fault:  jmp     gdt.code:protected_mode

        bits    32
protected_mode:
        hlt

%include "flat_gdt.inc"
