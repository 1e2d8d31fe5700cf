# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --thread=7 plain.lz4 2>&1
