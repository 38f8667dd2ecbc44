; The boot sector of a FAT12 floppy: finds KERNEL.BIN in the root directory, reads it along its chain of
; clusters to 0000:8000, and jumps there. Each sector is tried three times, with a reset after a failure.
; Expects: a BIOS, with the boot drive in DL; a BIOS parameter block in bytes 3 to 61, for a volume that
;          begins at sector 0 of the drive and has sectors of 512 bytes.
; Leaves:  at the jump, DL as it was, DS, ES and SS 0, SP 7C00; the FAT at 0x600. Otherwise a message and a
;          HLT: "Disk error" if a sector cannot be read; "No KERNEL.BIN" if it is not a file in the root
;          directory; "Bad KERNEL.BIN" if it is empty, its chain leads to what is no cluster, or it does not
;          fit below the BIOS's memory.
FAT             equ 0x0600      ; 12 sectors at most, which is all that FAT12 needs
DIRECTORY       equ 0x1E00      ; a sector
KERNEL          equ 0x8000
SECTOR          equ 512
TRIES           equ 3

; The BIOS parameter block.
sectors_per_cluster equ 0x7C00 + 13
reserved            equ 0x7C00 + 14
fats                equ 0x7C00 + 16
root_entries        equ 0x7C00 + 17
sectors_per_fat     equ 0x7C00 + 22
sectors_per_track   equ 0x7C00 + 24
heads               equ 0x7C00 + 26

; A directory entry.
ENTRY_SIZE      equ 32
NAME_SIZE       equ 11
ATTRIBUTES      equ 11
NO_FILE         equ 0x18        ; a directory, a label, or a part of a long name
FIRST_CLUSTER   equ 26

        org     0x7C00
        jmp     short start
        nop
        times 62 - ($ - $$) db 0

start:  jmp     0:.here
.here:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7C00
        cld
        mov     [drive], dl
        int     0x12                    ; KiB of memory
        shl     ax, 6
        mov     [end_of_memory], ax

        mov     ax, FAT >> 4
        mov     es, ax
        mov     ax, [reserved]
        mov     cx, [sectors_per_fat]
        call    read

        mov     al, [fats]
        mov     ah, 0
        mul     word [sectors_per_fat]
        add     ax, [reserved]          ; the root directory
        mov     cx, [root_entries]
        add     cx, SECTOR / ENTRY_SIZE - 1
        shr     cx, 4
        mov     bx, ax
        add     bx, cx
        mov     [first_data], bx

.next_of_directory:
        push    cx
        mov     bx, DIRECTORY >> 4
        mov     es, bx
        mov     cx, 1
        call    read
        push    ds
        pop     es
        mov     di, DIRECTORY
.entry: cmp     byte [di], 0            ; no entry follows
        je      no_kernel
        test    byte [di + ATTRIBUTES], NO_FILE
        jnz     .no_match
        push    di
        mov     si, name
        mov     cx, NAME_SIZE
        repe cmpsb
        pop     di
        je      found
.no_match:
        add     di, ENTRY_SIZE
        cmp     di, DIRECTORY + SECTOR
        jb      .entry
        pop     cx
        loop    .next_of_directory
no_kernel:
        mov     si, no_kernel_message
        jmp     fail

found:  mov     si, [di + FIRST_CLUSTER]
        mov     ax, KERNEL >> 4
        mov     es, ax
.cluster:
        mov     ax, si
        sub     ax, 2                   ; the first is cluster 2
        cmp     ax, 0xFF0 - 2
        jae     bad_kernel
        mov     cl, [sectors_per_cluster]
        mov     ch, 0
        mul     cx
        add     ax, [first_data]
        call    read
        mov     bx, si                  ; its 12 bits begin at byte SI * 3 / 2
        shr     bx, 1
        mov     ax, [bx + si + FAT]
        jnc     .even
        shr     ax, 4
.even:  and     ax, 0xFFF
        mov     si, ax
        cmp     ax, 0xFF8
        jb      .cluster

        mov     sp, 0x7C00
        xor     ax, ax
        mov     es, ax
        mov     dl, [drive]
        jmp     0:KERNEL

; Reads CX sectors from AX on to ES:0. Leaves AX and ES after them; BX, CX, DX and BP are changed.
read:   push    cx
        mov     bx, es
        cmp     bx, [end_of_memory]
        jae     bad_kernel
        mov     bp, TRIES
.again: push    ax
        xor     dx, dx
        div     word [sectors_per_track]
        mov     cx, dx
        inc     cx
        xor     dx, dx
        div     word [heads]
        mov     ch, al                  ; the cylinder, with bits 8 and 9 above the sector
        shl     ah, 6
        or      cl, ah
        mov     dh, dl
        mov     dl, [drive]
        mov     ax, 0x0201
        xor     bx, bx
        int     0x13
        pop     ax
        jnc     .done
        push    ax
        mov     ah, 0
        mov     dl, [drive]
        int     0x13
        pop     ax
        dec     bp
        jnz     .again
        mov     si, disk_message
        jmp     fail
.done:  inc     ax
        mov     bx, es
        add     bx, SECTOR >> 4
        mov     es, bx
        pop     cx
        loop    read
        ret

bad_kernel:
        mov     si, bad_kernel_message
fail:   lodsb
        test    al, al
        jz      .done
        mov     ah, 0x0E
        mov     bx, 7
        int     0x10
        jmp     fail
.done:  cli
        hlt

name                    db "KERNEL  BIN"
no_kernel_message       db "No KERNEL.BIN", 0
bad_kernel_message      db "Bad KERNEL.BIN", 0
disk_message            db "Disk error", 0

        times 510 - ($ - $$) db 0
        dw      0xAA55

        absolute 0x7E00
drive           resb 1
                resb 1
end_of_memory   resw 1                  ; a segment
first_data      resw 1                  ; the sector of cluster 2
