# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callgraph $P --min-percent=40 --exclude=main --sort=cumtime plain.lz4
