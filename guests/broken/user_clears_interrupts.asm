; Broken: CLI at CPL 3.
; Leaves: #GP(0) at `fault`, at CPL 3.
fault:  cli
        hlt
