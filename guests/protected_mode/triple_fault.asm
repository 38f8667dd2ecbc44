; Takes the IDT away and raises an exception, which then has no handler, nor has the double fault.
; Expects: nothing.
; Leaves:  a triple fault.
        org     HLTEST_LOAD_ADDRESS

        lidt    [none]
        ud2

none:   dw      0
        dd      0
