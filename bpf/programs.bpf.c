/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All BPF programs of cprof-record as one object, so that they share maps and helpers. A new source is a file x.bpf.c, its line here, and
 * its row in record_sources.c.
 */
#include "block.bpf.c"
#include "fault.bpf.c"
#include "memory.bpf.c"
#include "process.bpf.c"
#include "sample.bpf.c"
#include "sched.bpf.c"
#include "syscall.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
