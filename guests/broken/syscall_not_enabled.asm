; Broken: SYSCALL before EFER.SCE is set.
; Leaves: #UD at `fault`, in long mode.
fault:  syscall
        hlt
