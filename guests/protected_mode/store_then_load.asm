; Writes EAX to the address in EBX and reads it back through the one in ECX.
; Expects: EBX, ECX: mapped addresses, EBX writable.
; Leaves:  EDX: the dword at ECX.
        mov     [ebx], eax
        mov     edx, [ecx]
        hlt
