; Enters virtual-8086 mode by IRET and runs 16-bit code there.
; Expects: CPL 0, flat segments, a TSS with a stack for CPL 0; RAM at 0x20000. EBX: IOPL << 12.
; Leaves:  in virtual-8086 mode with CS = DS = 0x2000, ES = 0x3000, SS:SP = 0x2000:0xFFF0,
;          AX = 0x8086 and the word at 0x30010 = AX; the run ends at the HLT there, which raises #GP.
        org     HLTEST_LOAD_ADDRESS
VM          equ 1 << 17
TASK     equ 0x2000

        cld
        mov     esi, code
        mov     edi, TASK * 16
        mov     ecx, code.end - code
        rep     movsb

        or      ebx, VM | 2
        push    dword 0                 ; GS
        push    dword 0                 ; FS
        push    dword TASK           ; DS
        push    dword 0x3000            ; ES
        push    dword TASK           ; SS
        push    dword 0xFFF0            ; ESP
        push    ebx                     ; EFLAGS
        push    dword TASK           ; CS
        push    dword 0                 ; EIP
        iretd

        bits    16
code:   mov     ax, 0x8086
        mov     [es:0x10], ax
        hlt
.end:
