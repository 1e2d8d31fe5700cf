/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_sched.h"

#include "rt_commit.h"

enum { VALUE_MASK = (1 << CPROF_SCHED_VALUE_BITS) - 1, FIGURES_MOST = 2 * (3 + CPROF_BLOCKED_COUNT) };

/* BPF writes `changes` last and before this thread runs on; being switched out between two loads shows. */
static struct rt_sched_figures slot_read(const volatile struct cprof_slot *slot)
{
	struct rt_sched_figures seen;

	do {
		seen.changes = slot->changes;
		seen.faults = slot->faults;
		seen.runq_ns = slot->runq_ns;
		for (int c = 0; c < CPROF_BLOCKED_COUNT; c++)
			seen.blocked_ns[c] = slot->blocked_ns[c];
	} while (seen.changes != slot->changes);
	return seen;
}

static uint32_t figure_put(uint32_t *payloads, uint32_t n, uint32_t figure, uint64_t value)
{
	if (value > (uint64_t)VALUE_MASK << CPROF_SCHED_VALUE_BITS)
		value = (uint64_t)VALUE_MASK << CPROF_SCHED_VALUE_BITS; /* two years */
	if (value >> CPROF_SCHED_VALUE_BITS)
		payloads[n++] = (uint32_t)CPROF_SCHED_HIGH << CPROF_SCHED_VALUE_BITS | (uint32_t)(value >> CPROF_SCHED_VALUE_BITS);
	if (value)
		payloads[n++] = figure << CPROF_SCHED_VALUE_BITS | (uint32_t)(value & VALUE_MASK);
	return n;
}

/* Sums since the thread began, of those that have moved since they were told. */
static uint32_t figures_encode(uint32_t *payloads, const struct rt_sched_figures *told, const struct rt_sched_figures *now, const struct rt_sched_figures *base)
{
	uint32_t faults = now->faults - base->faults, n = 0;

	if (now->changes - now->faults != told->changes - told->faults)
		n = figure_put(payloads, n, CPROF_SCHED_SWITCHES, now->changes - base->changes - faults);
	if (now->faults != told->faults)
		n = figure_put(payloads, n, CPROF_SCHED_FAULTS, faults);
	if (now->runq_ns != told->runq_ns)
		n = figure_put(payloads, n, CPROF_SCHED_RUNQ, now->runq_ns - base->runq_ns);
	for (uint32_t c = 0; c < CPROF_BLOCKED_COUNT; c++)
		if (now->blocked_ns[c] != told->blocked_ns[c])
			n = figure_put(payloads, n, CPROF_SCHED_BLOCKED + c, now->blocked_ns[c] - base->blocked_ns[c]);
	return n;
}

static void escapes_store(uint64_t *slots, const uint32_t *payloads, uint32_t n, enum cprof_escape kind)
{
	for (uint32_t i = 0; i < n; i++)
		__atomic_store_n(&slots[i], (uint64_t)(payloads ? payloads[i] : 0) << 32 | (CPROF_ESCAPE_FIRST + kind), __ATOMIC_RELAXED);
}

/*
 * Sums are told, not differences: a handler that comes between the commit and the note of what was told says the same once more, or more, and nothing
 * is counted twice. All slots are won by one commit, so nothing of a handler's comes between them.
 */
void rt_sched_tell(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;
	uint32_t payloads[FIGURES_MOST];

	for (;;) {
		uint64_t state = tls->state;
		uint32_t next = (uint32_t)state, end = tls->end;

		if (next >= end)
			return;
		struct rt_sched_figures now = slot_read(tls->slot);
		uint32_t n = figures_encode(payloads, &thread->sched_told, &now, &thread->sched_base);
		bool fits = n <= end - next; /* else the rest of the block is padded, and the next one has room */
		uint32_t taken = fits ? n : end - next;
		uint64_t *slots = &tls->events[next];

		if (taken && !rt_commit(&tls->state, state, state + taken))
			continue;
		escapes_store(slots, fits ? payloads : NULL, taken, fits ? CPROF_ESCAPE_SCHED : CPROF_ESCAPE_PAD);
		thread->lost_escapes += thread->discarding ? taken : 0;
		if (fits) {
			thread->sched_told = now;
			tls->changes_seen = now.changes;
		}
		return;
	}
}

/* What was not told goes to nobody: base + (now - told), field by field. */
void rt_sched_resume(struct rt_tls *tls)
{
	struct rt_sched_figures *base = &tls->thread->sched_base, *told = &tls->thread->sched_told, now = slot_read(tls->slot);

	base->changes += now.changes - told->changes;
	base->faults += now.faults - told->faults;
	base->runq_ns += now.runq_ns - told->runq_ns;
	for (int c = 0; c < CPROF_BLOCKED_COUNT; c++)
		base->blocked_ns[c] += now.blocked_ns[c] - told->blocked_ns[c];
	*told = now;
	tls->changes_seen = now.changes;
}

void rt_sched_begin(struct rt_tls *tls)
{
	tls->thread->sched_base = tls->thread->sched_told = slot_read(tls->slot);
	tls->changes_seen = tls->thread->sched_told.changes;
}
