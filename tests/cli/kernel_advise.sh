# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze advise --perf-map=kernel.map recorded.lz4
