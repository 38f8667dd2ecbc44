; Installs its own handler in the IVT and divides by zero.
; Expects: the IVT at address 0.
; Leaves:  AX = 0xD1DE from the handler, which ends the program.
        org     HLTEST_LOAD_ADDRESS

        mov     word [0], on_divide_error
        mov     word [2], 0
        xor     cx, cx
        div     cx
        hlt                             ; not reached

on_divide_error:
        mov     ax, 0xD1DE
        hlt
