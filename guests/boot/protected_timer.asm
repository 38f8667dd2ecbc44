; A boot sector that takes the timer's interrupt in protected mode: it moves IRQ 0 to vector 20h, lets
; nothing else through, and counts three ticks.
; Expects: a PC's interrupt controllers and timer.
; Leaves:  EBX: 3; protected mode.
        org     0x7C00
        cli
        xor     ax, ax
        mov     ds, ax
        lgdt    [gdt.register]
        lidt    [idt.register]
        mov     al, 0x11                ; the first controller: ICW1 to ICW4
        out     0x20, al
        mov     al, 0x20
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xFE                ; only IRQ 0
        out     0x21, al
        mov     al, 0x34                ; channel 0: 100 times a second
        out     0x43, al
        mov     ax, 11932
        out     0x40, al
        mov     al, ah
        out     0x40, al
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:protected_mode

        bits    32
protected_mode:
        mov     ax, 16
        mov     ds, ax
        mov     ss, ax
        mov     esp, 0x7C00
        xor     ebx, ebx
        sti
.wait:  hlt
        cmp     ebx, 3
        jb      .wait
        cli
        hlt

on_tick:
        push    eax
        inc     ebx
        mov     al, 0x20
        out     0x20, al
        pop     eax
        iretd

        align   8
gdt:    dq      0
        dq      0x00CF9A000000FFFF
        dq      0x00CF92000000FFFF
.register:
        dw      $ - gdt - 1
        dd      gdt
gate:   dw      on_tick, 8, 0x8E00, 0
idt:
.register:
        dw      0x21 * 8 - 1
        dd      gate - 0x20 * 8

        times 510 - ($ - $$) db 0
        dw      0xAA55
