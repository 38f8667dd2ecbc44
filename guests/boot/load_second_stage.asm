; A boot sector that loads four sectors after it to 0000:8000 and jumps there: by a packet if the BIOS
; has the disk extensions, else by cylinder, head and sector. Each is tried three times.
; Expects: a BIOS, with the boot drive in DL.
; Leaves:  DL as it was, at the jump. If the disk cannot be read: "Disk error" on the screen, a HLT.
SECOND_STAGE    equ 0x8000
SECTORS         equ 4
TRIES           equ 3

        org     0x7C00
        jmp     0:start
start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7C00
        cld
        mov     [drive], dl

        mov     ah, 0x41
        mov     bx, 0x55AA
        int     0x13
        jc      by_chs
        cmp     bx, 0xAA55
        jne     by_chs

        mov     bp, TRIES
by_packet:
        mov     ah, 0x42
        mov     dl, [drive]
        mov     si, packet
        mov     word [packet.count], SECTORS    ; a failure leaves how many were read
        int     0x13
        jnc     loaded
        call    reset
        jnz     by_packet
        jmp     failed

by_chs: mov     bp, TRIES
.again: mov     ax, 0x0200 | SECTORS
        mov     bx, SECOND_STAGE
        mov     cx, 2
        mov     dh, 0
        mov     dl, [drive]
        int     0x13
        jnc     loaded
        call    reset
        jnz     .again

failed: mov     si, message
.next:  lodsb
        test    al, al
        jz      .done
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.done:  hlt

; Resets the drive and counts BP down. ZF: that was the last try.
reset:  mov     ah, 0
        mov     dl, [drive]
        int     0x13
        dec     bp
        ret

loaded: mov     dl, [drive]
        jmp     0:SECOND_STAGE

message db      "Disk error", 0
drive   db      0
        align   4
packet  db      16, 0
.count  dw      SECTORS, SECOND_STAGE, 0
        dq      1

        times 510 - ($ - $$) db 0
        dw      0xAA55
