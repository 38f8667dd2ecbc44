; Handles one #UD, then raises another, whose handler faults.
; Expects: long mode.
; Leaves:  RCX: 1, from the first; a triple fault that begins with #DE at `fault`, in the handler for #UD
;          at its second call.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        xor     ecx, ecx
        ud2
        ud2
        hlt

invalid_opcode:
        add     qword [rsp], 2
        inc     ecx
        cmp     ecx, 2
        je      .second
        iretq
.second:
        xor     ebx, ebx
fault:  div     ebx
        iretq

        align   8
idt:    times 6 dq 0, 0
        dw      HLTEST_LOAD_ADDRESS + (invalid_opcode - $$)
        dw      HLTEST_CODE64_SELECTOR
        dq      0x8E00
        dd      0
.register:
        dw      $ - idt - 1
        dq      idt
