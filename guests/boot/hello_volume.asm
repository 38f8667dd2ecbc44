; The boot sector of a volume: prints a line by the BIOS's teletype.
; Expects: a BIOS; to be loaded at 0000:7C00. Bytes 3 to 61 are for the BIOS parameter block.
; Leaves:  "Hello from a volume" in the first row of the screen.
        org     0x7C00
        jmp     short start
        nop
        times 62 - ($ - $$) db 0
start:  xor     ax, ax
        mov     ds, ax
        cld
        mov     si, message
.next:  lodsb
        test    al, al
        jz      .done
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.done:  cli
        hlt

message db      "Hello from a volume", 0

        times 510 - ($ - $$) db 0
        dw      0xAA55
