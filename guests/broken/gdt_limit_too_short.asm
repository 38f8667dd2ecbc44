; Broken: the GDT's limit excludes its last entry, the data segment.
; Expects: real mode.
; Leaves: #GP with the data segment's selector at `fault`, in protected mode, where no IDT is loaded.
        org     HLTEST_LOAD_ADDRESS
        bits    16
        cli
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     gdt.code:protected_mode

        bits    32
protected_mode:
        mov     ax, gdt.data
fault:  mov     ds, ax
        hlt

        align   8
gdt:    dq      0
.code   equ     $ - gdt
        dq      0x00CF9B000000FFFF
.end:
.data   equ     $ - gdt
        dq      0x00CF93000000FFFF
.register:
        dw      .end - gdt - 1
        dd      gdt
