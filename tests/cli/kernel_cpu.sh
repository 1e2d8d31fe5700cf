# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze cpu --perf-map=kernel.map recorded.lz4
