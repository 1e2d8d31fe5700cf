# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze io --perf-map=kernel.map alone.bpf.lz4
