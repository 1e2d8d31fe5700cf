# SPDX-License-Identifier: BSD-2-Clause
# The recorder stopped at 500.01 ms: what the scheduler did after it is not known, to the tick.
cprof-analyze tree --perf-map=kernel.map --columns=total,cpu,runq,blocked,unexplained,calls stopped.lz4
cprof-analyze tree --perf-map=kernel.map --format=json stopped.lz4 | jq -c "[.root | recurse(.children[]) | {name, unexplained_ns}]"
