; A boot sector that echoes keys until Enter, and writes what it read to sector 5.
; Expects: a BIOS, with the boot drive in DL.
; Leaves:  the line on the screen, and in sector 5 of the drive.
LINE    equ 0x8000

        org     0x7C00
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        cld
        mov     di, LINE
.next:  mov     ah, 0
        int     0x16
        cmp     al, 13
        je      .write
        stosb
        mov     ah, 0x0E
        int     0x10
        jmp     .next

.write: mov     ax, 0x0301
        mov     bx, LINE
        mov     cx, 6
        mov     dh, 0
        int     0x13
        hlt

        times 510 - ($ - $$) db 0
        dw      0xAA55
