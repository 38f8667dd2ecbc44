; Goes to "unreal mode": real mode with a data segment of 4 GiB, loaded in protected mode.
; Expects: the real-mode start state; EBX: an address, which may be above 1 MiB; EAX: a value.
; Leaves:  the dword at EBX = EAX, DS: selector 0, base 0, limit 4 GiB. CX is changed.
CR0_PE      equ 1 << 0

        org     HLTEST_LOAD_ADDRESS
        bits    16
        cli
        lgdt    [gdt.register]
        mov     ecx, cr0
        or      cl, CR0_PE
        mov     cr0, ecx
        mov     dx, gdt.data
        mov     ds, dx
        and     cl, ~CR0_PE & 0xFF
        mov     cr0, ecx
        xor     dx, dx
        mov     ds, dx                  ; in real mode a load leaves the limit alone
        mov     [ebx], eax
        hlt

        align   8
gdt:    dq      0
.data   equ     $ - gdt
        dq      0x00CF92000000FFFF
.register:
        dw      $ - gdt - 1
        dd      gdt
