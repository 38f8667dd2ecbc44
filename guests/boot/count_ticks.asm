; A boot sector that waits for five ticks of the timer in a HLT, by a handler for INT 1Ch.
; Expects: a BIOS, and a timer.
; Leaves:  five dots on the screen; the BIOS's count of ticks at 0x46C.
        org     0x7C00
        xor     ax, ax
        mov     ds, ax
        mov     [ticks], al
        cli
        mov     word [0x1C * 4], on_tick
        mov     [0x1C * 4 + 2], ax
        sti
.wait:  hlt
        cmp     byte [ticks], 5
        jb      .wait
        cli
        hlt

on_tick:
        push    ax
        inc     byte [cs:ticks]
        mov     ax, 0x0E00 | '.'
        int     0x10
        pop     ax
        iret
ticks   db      0

        times 510 - ($ - $$) db 0
        dw      0xAA55
