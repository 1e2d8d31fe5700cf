# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P recursion.lz4
cprof-analyze tree $P --wide recursion.lz4
