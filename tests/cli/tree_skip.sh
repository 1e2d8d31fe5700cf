# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --focus=lex --skip-first=3 plain.lz4
