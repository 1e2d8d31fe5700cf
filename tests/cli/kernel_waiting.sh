# SPDX-License-Identifier: BSD-2-Clause
# What the kernel's records say of a thread behind its last event, up to its end. Two threads had the same tid, one after the other.
cprof-analyze tree --perf-map=kernel.map --columns=total,self,cpu,runq,blocked,blocked:lock,blocked:sleep,blocked:disk,switches waiting.lz4
