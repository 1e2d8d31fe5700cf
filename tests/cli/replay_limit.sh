# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --limit=2 --color=always lost.lz4
