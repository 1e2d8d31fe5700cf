# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome $P --focus=parse --exclude=lex plain.lz4
