; Broken: no HLT: the processor runs on into the data after the code.
; Leaves: #UD at `fault`, in real mode.
        mov     ax, 1
fault:  db      0x0F, 0x0A, 0xFF, 0xFF
