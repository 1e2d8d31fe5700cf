# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --format=csv plain.lz4
