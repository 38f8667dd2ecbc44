; Broken: the stack pointer was never set and is not canonical.
; Leaves: #SS(0) at `fault`, in long mode.
        mov     rsp, 0x8000000000000000
fault:  push    rax
        hlt
