; Reads the address in RBX.
; Expects: RBX: an address.
; Leaves:  RAX: the quadword there; #PF at the first byte where RBX is not mapped.
        mov     rax, [rbx]
        hlt
