/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What advice is founded on: what the kernel half and the interposer counted, summed over all that did the same at the same call path, whatever its
 * process, its file or its lock. The workers of a server are one piece of evidence, not one each.
 *
 * A call path is the names of its functions. No judgement and no printing.
 */
#ifndef CPROF_EVIDENCE_H
#define CPROF_EVIDENCE_H

#include "kernel_facts.h"
#include "profile.h"

enum evidence_kind { EVIDENCE_SYNC, EVIDENCE_WRITE, EVIDENCE_LOCK, EVIDENCE_ALLOCATION };

struct evidence {
	enum evidence_kind kind;
	const struct call_node *node;  /* where most of it was; NULL: outside of every recorded call */
	const struct call_node *other; /* LOCK: who held the lock there; NULL: nobody known */
	const char *file;              /* SYNC, WRITE: the one with most of it; NULL: none, or without a name */
	struct fact_place lock_place;  /* LOCK: whose lock most waited for, */
	uint64_t lock;                 /* and its address there */
	uint64_t most;                 /* of the part that these five are of: what one context did with one file or lock */
	uint64_t count, ns, bytes;     /* ALLOCATION: calls, and what they asked for */
	uint64_t left_count, left_bytes; /* ALLOCATION: not freed */
	uint64_t temporary;            /* ALLOCATION: freed before the thread's next one */
	uint32_t processes, objects;   /* that have a part in it: files, locks */
};

struct evidence_list {
	struct evidence *items; /* of the same kind those with most time first */
	size_t nr;
};

struct cprof_error *evidence_collect(const struct profile *profile, struct evidence_list *ret) CPROF_MUST_CHECK;
void evidence_deinit(struct evidence_list *list);

#endif
