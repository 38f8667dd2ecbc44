; Executes HLT at CPL 3, which only CPL 0 may.
; Expects: CPL 3, flat segments.
; Leaves:  EBX: the CPL that it had. The HLT raises #GP, and is the guest's own end of the run.
        mov     ebx, cs
        and     ebx, 3
        hlt
