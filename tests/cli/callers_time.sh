# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callers $P --filter=lex --time=150us:500us --format=csv plain.lz4
