; Broken: CR3 holds the address of zeros instead of that of the page tables.
; Expects: protected mode, zeros at 0x7000.
; Leaves: #PF for the fetch at `fault`, in compatibility mode.
%define FIRST_TABLE 0x7000
        org     HLTEST_LOAD_ADDRESS
%include "to_long_mode.inc"
fault:  jmp     $
        hlt
