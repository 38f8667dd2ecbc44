; Counts for a while, then faults with an IDT that has no gates.
; Expects: ECX: how far to count.
; Leaves:  EBX: the count; a triple fault that begins with #DE at `fault`.
        org     HLTEST_LOAD_ADDRESS
        xor     ebx, ebx
.count: inc     ebx
        dec     ecx
        jnz     .count
        lidt    [empty_idt]
        xor     edx, edx
fault:  div     ecx
        hlt

empty_idt:
        dw      0
        dd      0
