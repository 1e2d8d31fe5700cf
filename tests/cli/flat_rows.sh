# SPDX-License-Identifier: BSD-2-Clause
# --filter and --exclude choose rows, whose numbers stay those of the whole run; --focus chooses calls.
cprof-analyze flat $P plain.lz4 >all
cprof-analyze flat $P --filter='^(lex|parse)$' plain.lz4 | grep -vxFf all
cprof-analyze flat $P --filter='^(lex|parse)$' plain.lz4 | grep -c -E 'lex|parse'
cprof-analyze flat $P --exclude=lex plain.lz4 | grep -vxFf all
cprof-analyze flat $P --exclude=lex plain.lz4 | grep -c lex
cprof-analyze flat $P --filter=e --exclude=p plain.lz4
cprof-analyze flat $P --focus=worker plain.lz4
