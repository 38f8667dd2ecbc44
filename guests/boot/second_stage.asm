; A second stage: opens A20, reads the memory map, goes to protected mode and to long mode, and writes to
; the screen from there.
; Expects: a BIOS; to be loaded at 0000:8000.
; Leaves:  EBX: the number of entries of the memory map, which is at 0x5000, 20 bytes each. "OK" in row 2 of
;          the screen, 64-bit mode. If A20 cannot be opened, or there is no memory map: a HLT in real mode.
MEMORY_MAP  equ 0x5000
PML4        equ 0x1000
PDPT        equ 0x2000
PD          equ 0x3000
SMAP        equ 0x534D4150

        org     0x8000
        mov     ax, 0x2401
        int     0x15
        jc      stop

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
