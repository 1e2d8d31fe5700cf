# SPDX-License-Identifier: BSD-2-Clause
# Half of the run: what the scheduler did is clipped with it.
cprof-analyze tree --perf-map=kernel.map --time=:500ms --columns=total,cpu,blocked,unexplained recorded.lz4
