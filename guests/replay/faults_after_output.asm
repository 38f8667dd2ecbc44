; Writes to a port for a while, then faults with an IDT that has no gates.
; Expects: ECX: how many bytes to write, at least 1.
; Leaves:  that many bytes 'x' on COM1; a triple fault that begins with #UD at `fault`.
        org     HLTEST_LOAD_ADDRESS
        mov     dx, HLTEST_COM1
        mov     al, 'x'
.write: out     dx, al
        dec     ecx
        jnz     .write
        lidt    [empty_idt]
fault:  ud2
        hlt

empty_idt:
        dw      0
        dd      0
