; Broken: calls code in a page that the test maps no-execute at 0x40000000.
; Leaves: #PF at the page's first byte, in long mode.
        mov     ebx, 0x40000000
        jmp     rbx
