# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --perf-map=kernel.map --min-percent=0 --columns=total,cpu,runq,blocked:lock,unexplained,samples,alloc,io,lock.self recorded.lz4
