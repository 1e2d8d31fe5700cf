# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --recursion=unroll recursion.lz4
