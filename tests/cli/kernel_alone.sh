# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --perf-map=kernel.map alone.bpf.lz4
