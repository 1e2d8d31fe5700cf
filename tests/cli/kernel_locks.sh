# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze locks --perf-map=kernel.map recorded.lz4
