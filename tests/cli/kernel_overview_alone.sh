# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze --perf-map=kernel.map alone.bpf.lz4
