# SPDX-License-Identifier: BSD-2-Clause
for sampled in hide show; do cprof-analyze export --to=speedscope --sampled=$sampled --perf-map=kernel.map recorded.lz4; done
