# SPDX-License-Identifier: BSD-2-Clause
for sampled in hide show; do echo $sampled; cprof-analyze export --to=folded --sampled=$sampled --perf-map=kernel.map recorded.lz4; done
cprof-analyze export --to=folded --sampled=show --perf-map=kernel.map only_cpu.lz4
cprof-analyze export --to=folded --sampled=show --perf-map=kernel.map alone.bpf.lz4
