# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --color=always plain.lz4
