; Broken: unmaps the low half while GDTR still holds the GDT's low address.
; Expects: long mode, entered at 0xFFFF800000001000, which is mapped to 0x1000; page tables at 0x200000.
; Leaves: #PF for the descriptor that MOV reads at `fault`.
        org     0xFFFF800000000000 + HLTEST_LOAD_ADDRESS
        lgdt    [rel low_gdt]
        mov     rbx, 0xFFFF800000000000 + 0x200000
        mov     qword [rbx], 0
        mov     rax, cr3
        mov     cr3, rax
        mov     ax, 0x10
fault:  mov     ds, ax
        hlt

low_gdt:
        dw      0x17
        dq      0x2000
