; A boot sector that prints a line by the BIOS's teletype.
; Expects: a BIOS.
; Leaves:  "Hello, world" in the first row of the screen.
        org     0x7C00
        xor     ax, ax
        mov     ds, ax
        cld
        mov     si, message
.next:  lodsb
        test    al, al
        jz      .done
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.done:  hlt

message db      "Hello, world", 13, 10, 0

        times 510 - ($ - $$) db 0
        dw      0xAA55
