# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat --perf-map=kernel.map recorded.lz4
