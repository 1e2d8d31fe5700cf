# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --thread=101 plain.lz4
