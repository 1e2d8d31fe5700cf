# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --format=csv plain.lz4
