# SPDX-License-Identifier: BSD-2-Clause
# Without a trace the range counts from where the recording began.
cprof-analyze off-cpu --perf-map=kernel.map --time=600ms:800ms alone.bpf.lz4
