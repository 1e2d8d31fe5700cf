# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze why lex $P --thread=worker plain.lz4
