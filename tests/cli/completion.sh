# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze --completion=bash >c && bash -c ". ./c; COMP_WORDS=(cprof-analyze tree --fo); COMP_CWORD=2; _cprof_analyze; printf \"%s\n\" \"\${COMPREPLY[@]}\"; COMP_WORDS=(cprof-analyze tree --format = j); COMP_CWORD=4; _cprof_analyze; echo \"\${COMPREPLY[@]}\"; COMP_WORDS=(cprof-analyze fl); COMP_CWORD=1; _cprof_analyze; echo \"\${COMPREPLY[@]}\""
