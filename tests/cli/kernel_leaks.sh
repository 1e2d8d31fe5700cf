# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze leaks --perf-map=kernel.map recorded.lz4
