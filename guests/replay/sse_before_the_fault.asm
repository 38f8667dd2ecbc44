; Keeps values in an SSE register, LSTAR and DR0 while it writes to a port, then reads them back.
; Expects: long mode; ECX: how many bytes to write, at least 1.
; Leaves:  a triple fault that begins with #DE at `fault`, with the low half of XMM0 in RAX, LSTAR in RBX, DR0
;          in RSI.
        org     HLTEST_LOAD_ADDRESS
        mov     rbp, rcx
        movdqu  xmm0, [value]
        mov     ecx, 0xC0000082
        mov     eax, 0x12345678
        xor     edx, edx
        wrmsr
        mov     eax, 0x5678
        mov     dr0, rax
        mov     rcx, rbp
        mov     dx, HLTEST_COM1
.write: out     dx, al
        dec     ecx
        jnz     .write
        movdqu  [0x5000], xmm0
        mov     ecx, 0xC0000082
        rdmsr
        mov     rbx, rax
        mov     rsi, dr0
        mov     rax, [0x5000]
        lidt    [empty_idt]
        xor     ecx, ecx
fault:  div     ecx
        hlt

        align   16
value:  dq      0x1122334455667788, 0
empty_idt:
        dw      0
        dq      0
