; Broken: the page-directory entry of a large page has an address bit set that must be 0.
; Expects: page tables at HLTEST_SYSTEM_REGION + HLTEST_PAGE_TABLES_OFFSET, as the start state has them.
; Leaves: #PF at `fault`, in long mode.
PD      equ     HLTEST_SYSTEM_REGION + HLTEST_PAGE_TABLES_OFFSET + 2 * 4096

        mov     ebx, PD
        or      qword [rbx + 8], 1 << 13
        mov     rax, cr3
        mov     cr3, rax
fault:  mov     rax, [0x200000]
        hlt
