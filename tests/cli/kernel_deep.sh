# SPDX-License-Identifier: BSD-2-Clause
# What tiny did at 50,000 levels of a recursion, each a path of its own, is summed in time that grows with them and not with their square.
timeout 10 cprof-analyze tree --recursion=unroll --depth=3 --perf-map=kernel.map --columns=total,self,cpu,faults,calls deep.lz4
