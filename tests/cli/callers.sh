# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callers $P --focus=lex plain.lz4
