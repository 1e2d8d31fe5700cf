# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --perf-map=kernel.map --focus=save --min-percent=0 recorded.lz4
