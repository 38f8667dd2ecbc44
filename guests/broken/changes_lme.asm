; Broken: clears EFER.LME while paging is on.
; Leaves: #GP(0) at `fault`, in long mode.
        mov     ecx, 0xC0000080
        rdmsr
        btr     eax, 8
fault:  wrmsr
        hlt
