# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --perf-map=kernel.map --width=140 --min-percent=0 recorded.lz4
