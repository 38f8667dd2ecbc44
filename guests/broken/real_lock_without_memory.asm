; Broken: a LOCK prefix on an instruction that changes a register.
; Leaves: #UD at `fault`, in real mode.
fault:  db      0xF0                    ; LOCK
        inc     ax
        hlt
