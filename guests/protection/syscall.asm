; Makes a system call.
; Expects: RAX: its number. EFER.SCE and the MSRs of SYSCALL set.
; Leaves:  what the kernel leaves; RCX and R11 are changed.
        syscall
        hlt
