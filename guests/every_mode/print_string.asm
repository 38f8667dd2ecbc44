; Prints a string with one REP OUTSB, then a word and a dword, to three ports.
; Expects: the direction flag clear, DS and CS alike.
; Leaves:  the debug console: "Hello", port 0x80: 0x1234, port 0x84: 0x89ABCDEF. (E/R)AX, CX, DX and
;          SI are changed.
        org     HLTEST_LOAD_ADDRESS

%if HLTEST_BITS = 16
        mov     si, text
        mov     cx, text.size
%else
        mov     esi, text
        mov     ecx, text.size
%endif
        mov     dx, HLTEST_DEBUG_CONSOLE
        rep outsb
        mov     ax, 0x1234
        out     0x80, ax
        mov     eax, 0x89ABCDEF
        out     0x84, eax
        hlt

text:   db      "Hello"
.size   equ     $ - text
