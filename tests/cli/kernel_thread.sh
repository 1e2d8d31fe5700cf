# SPDX-License-Identifier: BSD-2-Clause
# Of one thread: what the kernel sums up for the whole process is not its own, and absent.
cprof-analyze tree --perf-map=kernel.map --thread=app --min-percent=0 recorded.lz4
cprof-analyze tree --perf-map=kernel.map --thread=app --columns=io recorded.lz4 2>&1
