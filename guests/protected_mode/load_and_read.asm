; Loads FS with a selector and reads through it.
; Expects: AX: the selector, EBX: the offset.
; Leaves:  EDX: the dword there, FS: the segment; #GP if the load or the access is not allowed.
        mov     fs, ax
        mov     edx, [fs:ebx]
        hlt
