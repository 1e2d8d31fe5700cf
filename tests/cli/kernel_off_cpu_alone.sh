# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze off-cpu --perf-map=kernel.map alone.bpf.lz4
