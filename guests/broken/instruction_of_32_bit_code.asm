; Broken: PUSHA, which is invalid in 64-bit mode.
; Leaves: #UD at `fault`, in long mode.
fault:  db      0x60
        hlt
