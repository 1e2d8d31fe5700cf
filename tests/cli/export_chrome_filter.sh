# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome $P --depth=1 --filter="lex|worker" --thread=worker plain.lz4
