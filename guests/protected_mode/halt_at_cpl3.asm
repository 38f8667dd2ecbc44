; Executes HLT, a CPL-0 instruction, at CPL 3.
; Expects: CPL 3, flat segments.
; Leaves:  EBX: its CPL. The HLT raises #GP and ends the run as a halt.
        mov     ebx, cs
        and     ebx, 3
        hlt
