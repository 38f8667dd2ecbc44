; Removes the IDT and raises an exception. Neither it nor the double fault has a handler.
; Expects: nothing.
; Leaves:  a triple fault.
        org     HLTEST_LOAD_ADDRESS

        lidt    [none]
        ud2

none:   dw      0
        dd      0
