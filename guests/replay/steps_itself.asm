; Sets RFLAGS.TF, as a debugger does, then faults with an IDT that has no gates.
; Expects: protected mode.
; Leaves:  a triple fault, which begins with the #DB after POPFD.
        org     HLTEST_LOAD_ADDRESS
        lidt    [empty_idt]
        pushfd
        or      dword [esp], 1 << 8
        popfd
        nop
        hlt

empty_idt:
        dw      0
        dd      0
