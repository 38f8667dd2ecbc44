; A boot sector that calls BIOS services by a table, and stores the registers that come back from each.
; Expects: a BIOS, with the boot drive in DL. Sectors 1 to 17 of the drive: the table, which is loaded to
;          1000:0000 and begins with a word: the number of calls. From 1000:0010 on, 40 bytes a call: ES, DS,
;          EDI, ESI, EBP, four bytes of no use, EBX, EDX, ECX, EAX, FLAGS, the vector as a word.
; Leaves:  at 2000:0000, 40 bytes a call: the same registers after the call, with ESP in the unused place and
;          the vector. A HLT with interrupts off, AX = the number of calls, the other general registers 0.
;          If the table cannot be read: AX = DEADh.
TABLE   equ 0x1000              ; segments
RESULTS equ 0x2000
SIZE    equ 40
STACK   equ 0x7000

        org     0x7C00
        jmp     0:start
start:  xor     ax, ax
        mov     ss, ax
        mov     sp, STACK
        cld
        mov     ax, TABLE
        mov     es, ax
        mov     ax, 0x0200 | 17
        xor     bx, bx
        mov     cx, 2
        mov     dh, 0
        int     0x13
        mov     ax, 0xDEAD
        jc      done

next:   mov     ax, TABLE
        mov     ds, ax
        mov     ax, [cs:made]
        cmp     ax, [0]
        je      done
        mov     dx, SIZE
        mul     dx
        mov     [cs:result], ax
        mov     si, ax
        add     si, 16
        mov     al, [si + SIZE - 2]
        mov     [cs:call_it + 1], al
        sub     sp, SIZE - 2            ; the registers, as PUSHAD and PUSHF leave them
        mov     di, sp
        mov     ax, ss
        mov     es, ax
        mov     cx, (SIZE - 2) / 2
        cld
        rep movsw
        pop     es
        pop     ds
        popad
        popf
call_it:
        int     0
        pushf
        pushad
        push    ds
        push    es
        cld
        mov     si, sp
        mov     ax, ss
        mov     ds, ax
        mov     ax, RESULTS
        mov     es, ax
        mov     di, [cs:result]
        mov     cx, (SIZE - 2) / 2
        rep movsw
        mov     al, [cs:call_it + 1]
        mov     ah, 0
        stosw
        mov     sp, STACK
        inc     word [cs:made]
        jmp     next

done:   cli
        movzx   eax, ax
        xor     ebx, ebx                ; the rest is the last call's
        xor     ecx, ecx
        xor     edx, edx
        xor     esi, esi
        xor     edi, edi
        xor     ebp, ebp
        hlt

made    dw      0
result  dw      0

        times 510 - ($ - $$) db 0
        dw      0xAA55
