; Goes from real mode through protected mode to long mode, and prints a letter in each.
; Expects: the real-mode start state; RAM at 0x8000 to 0xAFFF for page tables.
; Leaves:  COM1: "R", "P", "L". The guest's own GDT is loaded, page tables at 0x8000 map the first
;          2 MiB to itself, and the processor is in 64-bit mode at CPL 0.
IA32_EFER   equ 0xC0000080
EFER_LME    equ 1 << 8
CR0_PE      equ 1 << 0
CR0_PG      equ 1 << 31
CR4_PAE     equ 1 << 5
PRESENT     equ 1 << 0
WRITABLE    equ 1 << 1
LARGE       equ 1 << 7
PML4        equ 0x8000
PDPT        equ 0x9000
PD          equ 0xA000

        org     HLTEST_LOAD_ADDRESS
        bits    16
        mov     dx, HLTEST_COM1
        mov     al, 'R'
        out     dx, al

        cli
        lgdt    [gdt.register]
        mov     eax, cr0
        or      eax, CR0_PE
        mov     cr0, eax
        jmp     gdt.code32:protected_mode

        bits    32
protected_mode:
        mov     ax, gdt.data
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     al, 'P'
        out     dx, al

        mov     dword [PML4], PDPT | PRESENT | WRITABLE
        mov     dword [PDPT], PD | PRESENT | WRITABLE
        mov     dword [PD], PRESENT | WRITABLE | LARGE
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, IA32_EFER
        rdmsr
        or      eax, EFER_LME
        wrmsr
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        jmp     gdt.code64:long_mode

        bits    64
long_mode:
        mov     dx, HLTEST_COM1
        mov     al, 'L'
        out     dx, al
        hlt

        align   8
gdt:    dq      0
.code32 equ     $ - gdt
        dq      0x00CF9B000000FFFF
.data   equ     $ - gdt
        dq      0x00CF93000000FFFF
.code64 equ     $ - gdt
        dq      0x00AF9B000000FFFF
.register:
        dw      $ - gdt - 1
        dd      gdt
