# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --by-thread plain.lz4
