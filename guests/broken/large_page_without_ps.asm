; Broken: the page-directory entry lacks PS and so points to a page table at 0.
; Expects: protected mode, zeros at 0.
; Leaves: #PF for the fetch at `fault`, in compatibility mode.
%define PDE 0x03
        org     HLTEST_LOAD_ADDRESS
%include "to_long_mode.inc"
fault:  jmp     $
        hlt
