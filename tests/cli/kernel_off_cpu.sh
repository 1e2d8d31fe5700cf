# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze off-cpu --perf-map=kernel.map recorded.lz4
