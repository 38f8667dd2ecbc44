; Reads and writes addresses where a device could be.
; Expects: flat segments; no memory at 0xE0000000 to 0xE000000F.
; Leaves:  EAX: the dword read at 0xE0000000, CL: the byte read at 0xE0000008.
;          Written: the dword 0x12345678 at 0xE0000004, the byte 0x9A at 0xE000000C.
        mov     eax, [0xE0000000]
        mov     dword [0xE0000004], 0x12345678
        mov     cl, [0xE0000008]
        mov     byte [0xE000000C], 0x9A
        hlt
