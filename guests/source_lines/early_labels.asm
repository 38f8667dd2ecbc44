; Defines local labels before the first global one, which NASM lists under the last global label.
; Expects: nothing.
; Leaves:  a halted CPU.
        org     HLTEST_LOAD_ADDRESS

%macro  delay 0
.again: dec     cx
        jnz     .again
%endmacro
%macro  function 1
%1:
%endmacro

        section .data
.byte:  db      1
        section .text
.skip:
        jmp     .into
.three  equ     3
.into:  nop
        function in_macro
.own:   nop
start:  nop
.byte:  delay
last:   nop
.own:   hlt
        section .data
.again: db      2
