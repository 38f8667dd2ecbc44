; Divides by zero.
; Expects: nothing.
; Leaves:  #DE at `divide`, ECX = 0.
        xor     ecx, ecx
divide: div     ecx
        hlt                             ; not reached
