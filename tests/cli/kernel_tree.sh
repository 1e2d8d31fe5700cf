# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --perf-map=kernel.map recorded.lz4
