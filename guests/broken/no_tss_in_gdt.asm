; Broken: LTR with a selector that is beyond the end of the guest's own GDT.
; Expects: protected mode.
; Leaves: #GP with the selector at `fault`, undeliverable: the GDT lacks the handlers' code segment.
        org     HLTEST_LOAD_ADDRESS
        lgdt    [gdt.register]
        mov     ax, 0x28
fault:  ltr     ax
        hlt

        align   8
gdt:    dq      0
.register:
        dw      $ - gdt - 1
        dd      gdt
