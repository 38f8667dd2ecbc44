; Loads DS with a selector beyond the end of the GDT.
; Expects: a GDT that ends before 0x80.
; Leaves:  #GP with error code 0x80 at `load`.
        mov     eax, 0x80
load:   mov     ds, eax
        hlt                             ; not reached
