; Writes RAX to the address in RBX and reads it back through the one in RCX.
; Expects: RBX, RCX: mapped addresses, RBX writable.
; Leaves:  RDX: the quadword at RCX.
        mov     [rbx], rax
        mov     rdx, [rcx]
        hlt
