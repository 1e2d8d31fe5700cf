# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --filter="^[lp]" --exclude=lex plain.lz4
