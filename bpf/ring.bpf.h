/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ring to cprof-record: reserve or count the loss.
 *
 * No record wakes anybody up: that made a target several times slower. cprof-record comes every few milliseconds. A record is
 * reserved with its own size, no more.
 */
#ifndef CPROF_RING_BPF_H
#define CPROF_RING_BPF_H

#include "losses.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20); /* cprof-record sets it */
} ring SEC(".maps");

/* Room for a record of record_bytes (a constant) behind the head, or NULL: then the loss has been counted. */
static __always_inline struct ring_head *ring_reserve(__u32 kind, __u64 record_bytes)
{
	struct ring_head *head = bpf_ringbuf_reserve(&ring, sizeof *head + record_bytes, 0);

	counter_add(COUNTER_PRODUCED + kind, 1);
	if (!head) {
		counter_add(COUNTER_LOST + kind, 1);
		return NULL;
	}
	head->kind = kind;
	head->reserved = 0;
	return head;
}

static __always_inline void ring_submit(struct ring_head *head)
{
	bpf_ringbuf_submit(head, BPF_RB_NO_WAKEUP);
}

/* A record that lies in memory with its head before it. false: lost, and counted. */
static __always_inline bool ring_output(struct ring_head *head, __u32 kind, __u64 record_bytes)
{
	head->kind = kind;
	head->reserved = 0;
	counter_add(COUNTER_PRODUCED + kind, 1);
	if (!bpf_ringbuf_output(&ring, head, sizeof *head + record_bytes, BPF_RB_NO_WAKEUP))
		return true;
	counter_add(COUNTER_LOST + kind, 1);
	return false;
}

#endif
