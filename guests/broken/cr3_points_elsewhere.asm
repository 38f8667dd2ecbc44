; Broken: CR3 is not where the page tables are, but where there are zeros.
; Expects: protected mode, zeros at 0x7000.
; Leaves: #PF for the fetch at `fault`, in compatibility mode.
%define FIRST_TABLE 0x7000
        org     HLTEST_LOAD_ADDRESS
%include "to_long_mode.inc"
fault:  jmp     $
        hlt
