; Broken: the PML4 entry is written without P.
; Expects: protected mode, zeros from 0x8000 on.
; Leaves: #PF for the fetch at `fault`, in compatibility mode.
%define PML4E PDPT | 2
        org     HLTEST_LOAD_ADDRESS
%include "to_long_mode.inc"
fault:  jmp     $
        hlt
