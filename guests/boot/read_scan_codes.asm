; A boot sector with a keyboard handler of its own: it stores the scan codes of two keys, pressed and
; released.
; Expects: a PC's keyboard and interrupt controllers; two keys typed.
; Leaves:  four scan codes at 0x8000.
        org     0x7C00
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     di, 0x8000
        cli
        mov     word [9 * 4], on_key
        mov     [9 * 4 + 2], ax
        sti
.wait:  hlt
        cmp     di, 0x8004
        jb      .wait
        cli
        hlt

on_key: push    ax
        in      al, 0x60
        stosb
        mov     al, 0x20
        out     0x20, al
        pop     ax
        iret

        times 510 - ($ - $$) db 0
        dw      0xAA55
