# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze memory --perf-map=kernel.map recorded.lz4
