# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --filter="^lex\$" --exclude=worker plain.lz4
