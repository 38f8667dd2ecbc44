; A second stage: opens A20 by the first of three ways that works (the BIOS, the keyboard controller, port
; 92h), reads the memory map, goes to protected mode and to long mode, and writes to the screen from there.
; Expects: a BIOS; to be loaded at 0000:8000; a stack.
; Leaves:  EBX: the number of entries of the memory map, which is at 0x5000, 20 bytes each. "OK" in row 2 of
;          the screen, 64-bit mode. If A20 cannot be opened, or there is no memory map: a HLT in real mode.
MEMORY_MAP  equ 0x5000
PML4        equ 0x1000
PDPT        equ 0x2000
PD          equ 0x3000
SMAP        equ 0x534D4150

        org     0x8000
        xor     ax, ax
        mov     ds, ax
        call    is_a20_open
        jne     a20_is_open
        mov     ax, 0x2401
        int     0x15
        call    is_a20_open
        jne     a20_is_open
        call    wait_for_controller
        mov     al, 0xD1                ; write the output port
        out     0x64, al
        call    wait_for_controller
        mov     al, 0xDF
        out     0x60, al
        call    wait_for_controller
        call    is_a20_open
        jne     a20_is_open
        in      al, 0x92
        or      al, 2
        and     al, 0xFE                ; bit 0 resets
        out     0x92, al
        call    is_a20_open
        je      stop

a20_is_open:
        xor     ax, ax
        mov     es, ax
        xor     ebx, ebx
        xor     bp, bp
        mov     di, MEMORY_MAP
.next:  mov     eax, 0xE820
        mov     edx, SMAP
        mov     ecx, 20
        int     0x15
        jc      stop
        cmp     eax, SMAP
        jne     stop
        inc     bp
        add     di, 20
        test    ebx, ebx
        jnz     .next

        cli
        lgdt    [gdt.register]
        mov     eax, cr0
        or      eax, 1
        mov     cr0, eax
        jmp     gdt.code32:protected_mode
stop:   hlt

; ZF: the gate is closed, and FFFF:0510 is 0000:0500. Changes AX and ES.
is_a20_open:
        mov     ax, 0xFFFF
        mov     es, ax
        mov     byte [0x500], 0x55
        mov     byte [es:0x510], 0xAA
        cmp     byte [0x500], 0xAA
        ret

; Until the keyboard controller takes a byte, or for a while. Changes AL and CX.
wait_for_controller:
        mov     cx, 0x100
.again: in      al, 0x64
        test    al, 2
        loopnz  .again
        ret

        bits    32
protected_mode:
        mov     ax, gdt.data
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        movzx   ebx, bp
        cld
        mov     edi, PML4               ; memory need not be zeros
        mov     ecx, 3 * 4096 / 4
        xor     eax, eax
        rep stosd
        mov     dword [PML4], PDPT | 3
        mov     dword [PDPT], PD | 3
        mov     dword [PD], 0x83
        mov     eax, 1 << 5
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, 0xC0000080
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        jmp     gdt.code64:long_mode

        bits    64
long_mode:
        mov     dword [0xB8000 + 2 * 80 * 2], 'O' | 0x0F00 | 'K' << 16 | 0x0F000000
        hlt

        align   8
gdt:    dq      0
.code32 equ     $ - gdt
        dq      0x00CF9A000000FFFF
.data   equ     $ - gdt
        dq      0x00CF92000000FFFF
.code64 equ     $ - gdt
        dq      0x00209A0000000000
.register:
        dw      $ - gdt - 1
        dd      gdt
