; Makes bytes in every way that a listing shows differently: macros in macros, %rep, %include, times,
; sections, and struc.
; Expects: nothing.
; Leaves:  #UD at the UD2 of `included.inc`.
        org     HLTEST_LOAD_ADDRESS

%macro  set_twice 1
        set     %1
        set     %1
%endmacro
%macro  set 1
        mov     al, %1
%endmacro

struc point
.x:     resw 1
.y:     resw 1
endstruc

start:  set_twice 3
        nop
%rep 2
        inc     al
%endrep
.pad:   times 3 nop
        mov     bx, [data + point.y]
%include "included.inc"
after:  hlt

        section .data
data:   istruc point
        at point.x, dw 1
        at point.y, dw 0x1234
        iend
message:
        db "a text that takes more than one line of the listing", 0
