/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's recording state: what its hooks touch (struct rt_tls), and what outlives them (struct rt_thread).
 *
 * The hooks commit through one word, `state` = depth:32 | next event:32, with a compare-and-swap that is atomic against signal handlers of the
 * same thread (docs/architecture.md, "The hook is one transaction"). Everything else they read is changed only by
 * rt_thread_poll(), with signals blocked, on the thread itself. Other threads ask for attention through `requests` and by setting `end` to 0.
 */
#ifndef CPROF_RT_THREAD_H
#define CPROF_RT_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt_blocks.h"
#include "rt_inherit.h"
#include "rt_replay.h"
#include "slots.h"
#include "trace_format.h"

struct rt_entry {          /* an open call */
	uint64_t frame;    /* of the function; see hooks.c */
	uint64_t function;
	uint64_t hook_return;
	uint64_t call_site; /* of the physical frame: the same for all calls inlined into one */
	uint32_t context;  /* current inside the call */
	uint32_t id;       /* context or folding edge that was entered */
};

struct rt_cache_slot {     /* parent is written last, and first made impossible: a handler never finds half a key */
	uint64_t function, call_site, hook_return;
	uint32_t parent, id, target, reserved;
};

enum { RT_CACHE_SLOTS = 8192 };
#define RT_CACHE_NO_PARENT 0xFFFFFFFFu

struct rt_thread;

struct rt_tls {
	volatile uint64_t state; /* depth:32 | next event:32; next only grows (but for a rebase every 2^31 events) */
	volatile uint32_t end;   /* poll word: the first event index that leaves the hot path; 0: at once */
	uint32_t clock_high;     /* upper half of the clock of the events now written */
	uint64_t *events;        /* biased: events[next] is the next event's slot */
	struct rt_entry *stack;  /* stack[0] is the ground, below every call */
	struct rt_cache_slot *cache;
	struct cprof_slot *slot; /* where others read the current context, and say what they did to us: own, or one shared with BPF */
	struct rt_thread *thread;
	uint32_t changes_seen;   /* of slot->changes */
	uint32_t busy;           /* in rt_thread_poll(): hooks of host functions that we call return at once */
	bool ending;             /* nothing of ours runs any more before this memory goes */
	struct cprof_slot own __attribute__((aligned(64)));
} __attribute__((aligned(64)));

static inline uint32_t rt_state_next(const struct rt_tls *tls)
{
	return (uint32_t)tls->state;
}

static inline uint32_t rt_state_depth(const struct rt_tls *tls)
{
	return (uint32_t)(tls->state >> 32);
}

/* Signals are blocked and this is the owner: a plain store will do. */
static inline void rt_state_set(struct rt_tls *tls, uint32_t depth, uint32_t next)
{
	tls->state = (uint64_t)depth << 32 | next;
}

#define RT_STATE_REBASE_AT (1u << 31) /* next may not come near 2^32 */

extern __thread struct rt_tls rt_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

enum rt_request {
	RT_REQUEST_FLUSH_CACHE = 1u, /* addresses went away: forget cached contexts */
};

enum rt_alive {
	RT_GONE = 0,   /* the slot's thread is gone; the slot is free once drained */
	RT_ALIVE = 1,
	RT_HELD = 2,   /* somebody else is looking at its TLS: it may not go away now */
};

enum { RT_PENDING = 256 };

struct rt_sched_figures {
	uint32_t changes, faults;
	uint64_t runq_ns, blocked_ns[CPROF_BLOCKED_COUNT];
};

struct rt_thread {
	_Atomic uint32_t alive;      /* enum rt_alive */
	_Atomic uint32_t requests;   /* enum rt_request; set by anybody, taken by the owner */
	_Atomic uint32_t draining;   /* who sets it from 0 may touch replay and pending's tail */
	uint32_t index;              /* as in the trace */
	uint32_t tid;
	struct rt_tls *tls;          /* of the thread that runs it; NULL while suspended */
	struct rt_cache_slot *cache; /* stays for the next thread in this slot, which often makes the same calls */
	uint32_t cache_epoch;        /* of the addresses that it was filled with */
	bool unseen;                 /* it will end, and tls with it, without our being told: others keep off, and every event polls instead */
	struct cprof_thread *record; /* in the live file */

	/* Owner, in rt_thread_poll(). */
	struct rt_block *block;      /* being filled; NULL while events are discarded */
	uint32_t first_next;         /* state's next at the block's first event */
	uint32_t real_end;           /* what `end` is when nobody wants attention */
	uint32_t blocks_filled;
	uint64_t filled_at_ns;
	_Atomic uint64_t sequence;   /* blocks begun so far */
	uint64_t lost_events;        /* enters and exits, since the thread began */
	uint64_t lost_told;          /* of those, in the stream by LOST */
	uint32_t lost_escapes;       /* discarded too, but no enters or exits */
	/* What the stream holds open while that is not what is open: after a loss, and while inherited calls are being told. */
	bool apart;
	uint32_t told_depth, told_context;
	struct rt_entry *stack;
	uint32_t stack_capacity;
	bool stack_wiped;            /* in a child that nobody told us of (rt_stream_stack_wipe) */
	bool discarding;             /* no block was to be had: events are counted as lost */
	struct rt_sched_figures sched_base, sched_told; /* of the slot: when the thread began; last said in the stream */
	bool fork_pending;           /* between the prepare handler and the parent's or child's */

	/* A coroutine's strand, or a thread's own while the thread runs another: see rt_strand.c. */
	struct rt_thread *own;       /* of the thread that runs this coroutine; NULL: this is a thread's own */
	uint32_t saved_depth, saved_used, saved_clock_high; /* while suspended */
	bool told_suspended;         /* the stream says so */
	struct rt_inherited inherited; /* open calls of before a fork, to be told when the strand is resumed */

	/* Handed over, in order of sequence: slot sequence % RT_PENDING. */
	struct rt_block *_Atomic pending[RT_PENDING];
	struct rt_replay replay;
};

/* The cold path of both hooks: first call of a thread, block full, or somebody wants attention. false: do not record this call. */
bool rt_thread_poll(void);
/* For the process: */
enum { RT_THREADS_MAX = 1 << 15 };
struct rt_thread *rt_thread_at(uint32_t slot); /* NULL: never used, and neither is any after it */
void rt_threads_reset(void);                   /* in a fork's child */
uint64_t rt_threads_events(void);              /* enters and exits drained so far, of all threads that ever were */
/* Hands over what a thread has recorded so far, when the process ends. What it still records goes unseen. */
void rt_thread_hand_over_at_end(struct rt_thread *thread);
/* Asks every thread for attention at its next call. */
void rt_threads_ask(uint32_t request);

/* A slot with a record in the trace; flags CPROF_THREAD_*. Signals blocked. NULL: recording has failed, which is said. */
struct rt_thread *rt_thread_begin(uint32_t flags);
/* Its recording is over: nobody will write to it. items: events in its block. */
void rt_thread_end(struct rt_thread *thread, uint32_t items);
/* While a thread is held nobody else looks at or changes its tls. false: it is gone. Signals blocked, for a few instructions. */
bool rt_thread_hold(struct rt_thread *thread);
void rt_thread_release(struct rt_thread *thread);
/* A slot for the calling thread, and all that its hooks need except a block. Signals blocked. false: recording has failed, which is said. */
bool rt_thread_attach(struct rt_tls *tls);

#endif
