; Loads FS with a selector and writes through it.
; Expects: AX: the selector, EBX: the offset, ECX: the value.
; Leaves:  the dword written, FS: the segment; #GP if the load or the access is not allowed.
        mov     fs, ax
        mov     [fs:ebx], ecx
        hlt
