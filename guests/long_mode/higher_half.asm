; A routine of a kernel linked at -2 GiB. It reads a variable by its absolute address and calls a
; function through a pointer, so it works only there.
; Expects: the image mapped at 0xFFFFFFFF80000000, and a stack.
; Leaves:  RAX: 0x1234567890, RBX: the address of `function`.
        org     0xFFFFFFFF80000000

        mov     rax, [abs variable]
        mov     rbx, [abs pointer]
        call    rbx
        hlt

function:
        add     rax, 0x90
        ret

        align   8
variable:
        dq      0x1234567800
pointer:
        dq      function
