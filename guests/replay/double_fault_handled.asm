; Has a gate for #DF and none for #UD: the #UD becomes a #DF, whose handler faults.
; Expects: long mode.
; Leaves:  RCX: 1; a triple fault that begins with #DE at `fault`, in the handler for #DF.
        org     HLTEST_LOAD_ADDRESS
        lidt    [idt.register]
        xor     ecx, ecx
        ud2
        hlt

double_fault:
        inc     ecx
        xor     ebx, ebx
        lidt    [empty_idt]
fault:  div     ebx
        hlt

empty_idt:
        dw      0
        dq      0

        align   8
idt:    times 8 dq 0, 0
        dw      HLTEST_LOAD_ADDRESS + (double_fault - $$)
        dw      HLTEST_CODE64_SELECTOR
        dq      0x8E00
        dd      0
.register:
        dw      $ - idt - 1
        dq      idt
