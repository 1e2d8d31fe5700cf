# SPDX-License-Identifier: BSD-2-Clause
# Slots alone say nothing: where time off the processor was not recorded, times are absent, not all on-CPU.
cprof-analyze tree --perf-map=kernel.map only_cpu.lz4
