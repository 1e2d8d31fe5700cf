# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callgraph $P recursion.lz4
