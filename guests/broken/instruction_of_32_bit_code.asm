; Broken: PUSHA, which 64-bit mode has not.
; Leaves: #UD at `fault`, in long mode.
fault:  db      0x60
        hlt
