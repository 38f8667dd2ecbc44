; Reads four bytes from port 0x1F0 with one REP INSB.
; Expects: the direction flag clear, ES: a data segment with base 0, RAM at 0x2000 to 0x2003.
; Leaves:  the bytes at 0x2000. CX, DX and DI are changed.
%if HLTEST_BITS = 16
        mov     di, 0x2000
        mov     cx, 4
%else
        mov     edi, 0x2000
        mov     ecx, 4
%endif
        mov     dx, 0x1F0
        rep insb
        hlt
