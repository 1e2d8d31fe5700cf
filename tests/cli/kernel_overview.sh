# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze --perf-map=kernel.map recorded.lz4
