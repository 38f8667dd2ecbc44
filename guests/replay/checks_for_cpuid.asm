; Checks whether RFLAGS.ID can be changed, as code does to detect CPUID. Then faults with an IDT
; that has no gates.
; Expects: protected mode, a processor that has CPUID.
; Leaves:  EAX: the flags with ID; a triple fault that begins with #UD at `fault`.
ID      equ     1 << 21

        org     HLTEST_LOAD_ADDRESS
        pushfd
        pop     eax
        or      eax, ID
        push    eax
        popfd
        pushfd
        pop     eax
        lidt    [empty_idt]
fault:  ud2
        hlt

empty_idt:
        dw      0
        dd      0
