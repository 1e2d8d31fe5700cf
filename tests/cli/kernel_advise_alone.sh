# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze advise --perf-map=kernel.map alone.bpf.lz4 | head -1
