/* SPDX-License-Identifier: BSD-2-Clause */
/* See timed_switches.h. */
#include "timed_switches.h"

#include <stdlib.h>
#include <string.h>

#include "event_decoder.h"
#include "slots.h"
#include "vec.h"

#define FIGURE_MOST ((UINT64_C(1) << (2 * CPROF_SCHED_VALUE_BITS)) - 1) /* that an escape can say */

void timed_switches_deinit(struct timed_switches *switches)
{
	free(switches->items);
	*switches = (struct timed_switches){ .items = NULL };
}

struct reading {
	const struct kernel_file *file;
	const struct trace *trace;
	uint32_t tgid;
	uint64_t from_ns, to_ns;
	uint64_t most;               /* one for each byte of the file: a true record takes several, packed */
	struct timed_switches *switches;
};

static struct cprof_error *item_add(struct reading *reading, const struct timed_switch *item)
{
	struct timed_switches *switches = reading->switches;

	if (switches->nr >= reading->most) {
		switches->too_many = true;
		return NULL;
	}
	if (!vec_reserve(&switches->items, &switches->capacity, switches->nr + 1, sizeof *switches->items))
		return &cprof_enomem;
	switches->items[switches->nr++] = *item;
	return NULL;
}

static struct cprof_error *take_off_cpu(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct reading *reading = context;
	struct cprof_kernel_off_cpu off;

	(void)header;
	memcpy(&off, record, sizeof off);
	if (off.who.quality != CPROF_QUALITY_TIMED || off.who.tgid != reading->tgid || off.time_ns < reading->from_ns || off.time_ns >= reading->to_ns)
		return NULL;
	if (!kernel_file_is_last_word(reading->file, &off))
		return NULL;
	if (off.blocked_ns > FIGURE_MOST || off.runq_ns > FIGURE_MOST)
		return NULL; /* nobody waits for two years */
	const struct timed_switch item = {
		.middle_ticks = trace_ticks_at(reading->trace, off.time_ns + (off.blocked_ns + off.runq_ns) / 2),
		.blocked_ns = off.blocked_ns,
		.runq_ns = off.runq_ns,
		.tid = off.who.tid,
		.blocked_class = off.blocked_class < CPROF_BLOCKED_COUNT ? off.blocked_class : CPROF_BLOCKED_OTHER,
	};

	return item_add(reading, &item);
}

static struct cprof_error *take_fault(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct reading *reading = context;
	struct cprof_kernel_fault fault;

	(void)header;
	memcpy(&fault, record, sizeof fault);
	if (fault.tgid != reading->tgid || fault.time_ns < reading->from_ns || fault.time_ns >= reading->to_ns)
		return NULL;
	const struct timed_switch item = { .middle_ticks = trace_ticks_at(reading->trace, fault.time_ns), .tid = fault.tid, .is_fault = true };

	return item_add(reading, &item);
}

static int compare(const void *left, const void *right)
{
	const struct timed_switch *a = left, *b = right;

	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->middle_ticks < b->middle_ticks ? -1 : a->middle_ticks > b->middle_ticks;
}

struct cprof_error *timed_switches_read(struct kernel_file *file, const struct trace *trace, uint32_t tgid, uint64_t from_ns, uint64_t to_ns,
					struct timed_switches *ret)
{
	struct timed_switches switches = { .items = NULL };
	struct reading reading = { file, trace, tgid, from_ns, to_ns, kernel_file_state(file)->file_bytes, &switches };
	struct cprof_error *error = kernel_file_each(file, CPROF_CHUNK_KERNEL_OFF_CPU, take_off_cpu, &reading);

	if (!error)
		error = kernel_file_each(file, CPROF_CHUNK_KERNEL_FAULTS, take_fault, &reading);
	if (error) {
		timed_switches_deinit(&switches);
		return error;
	}
	if (switches.nr)
		qsort(switches.items, switches.nr, sizeof *switches.items, compare);
	*ret = switches;
	return NULL;
}

/* The first of this thread that is not before. */
static const struct timed_switch *first_of(const struct timed_switches *switches, uint32_t tid, uint64_t ticks)
{
	const struct timed_switch key = { .tid = tid, .middle_ticks = ticks };
	size_t low = 0, high = switches->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&switches->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return switches->items + low;
}

bool timed_switches_has(const struct timed_switches *switches, uint32_t tid)
{
	const struct timed_switch *first = first_of(switches, tid, 0);

	return first < switches->items + switches->nr && first->tid == tid;
}

void timed_merge_init(struct timed_merge *merge, const struct timed_switches *switches, const struct cprof_thread *thread)
{
	*merge = (struct timed_merge){ .next = NULL };
	if (!switches->nr || thread->flags & CPROF_THREAD_STRAND)
		return;
	merge->next = first_of(switches, thread->tid, thread->start_tsc);
	merge->end = first_of(switches, thread->tid, thread->end_tsc ? thread->end_tsc : UINT64_MAX);
}

void timed_merge_deinit(struct timed_merge *merge)
{
	bytes_deinit(&merge->ids);
}

static bool figure_add(struct timed_merge *merge, uint32_t figure, uint64_t growth, uint32_t *items)
{
	const uint32_t bits = CPROF_SCHED_VALUE_BITS, mask = (1u << bits) - 1;
	uint64_t sum = merge->sums[figure] + growth, parts[2] = { (uint64_t)CPROF_SCHED_HIGH << bits | sum >> bits, (uint64_t)figure << bits | (sum & mask) };

	if (!growth || sum > FIGURE_MOST)
		return true;
	merge->sums[figure] = sum;
	for (size_t i = sum >> bits ? 0 : 1; i < 2; i++) {
		if (!bytes_add_leb128(&merge->ids, CPROF_ID_ESCAPE) || !bytes_add_leb128(&merge->ids, CPROF_ESCAPE_SCHED) ||
		    !bytes_add_leb128(&merge->ids, parts[i]))
			return false;
		++*items;
	}
	return true;
}

static bool switch_add(struct timed_merge *merge, const struct timed_switch *item, uint32_t *items)
{
	if (item->is_fault)
		return figure_add(merge, CPROF_SCHED_FAULTS, 1, items);
	return figure_add(merge, CPROF_SCHED_SWITCHES, 1, items) && figure_add(merge, CPROF_SCHED_RUNQ, item->runq_ns, items) &&
	       figure_add(merge, CPROF_SCHED_BLOCKED + item->blocked_class, item->blocked_ns, items);
}

/* What lies before `ticks`, behind the bytes copied so far; wanted false: it is nobody's. */
static bool switches_add(struct timed_merge *merge, uint64_t ticks, bool wanted, uint32_t *items)
{
	for (; merge->next < merge->end && merge->next->middle_ticks <= ticks; merge->next++)
		if (wanted && !switch_add(merge, merge->next, items))
			return false;
	return true;
}

struct cprof_error *timed_merge_chunk(struct timed_merge *merge, struct events_chunk *chunk)
{
	struct event_decoder decoder = event_decoder_make(chunk);
	const struct timed_switch *next = merge->next;
	size_t copied = 0, anchor = 0; /* escapes stay before the event that they belong to: what is put in goes behind the last event */
	uint32_t items = 0;
	bool lost = false;
	struct cprof_error *error;

	if (chunk->hole_before)
		switches_add(merge, chunk->header.first_tsc, false, &items);
	if (merge->next >= merge->end || merge->next->middle_ticks > chunk->header.last_tsc)
		return NULL;
	bytes_clear(&merge->ids);
	for (;;) {
		struct event_item item;
		bool end, resumes, added = true;

		error = event_decoder_next(&decoder, &item, &end);
		if (error || end)
			break;
		resumes = item.kind == EVENT_ESCAPE && item.id == CPROF_ESCAPE_RESUME; /* until then a coroutine had the thread */
		lost |= item.kind == EVENT_ESCAPE && item.id == CPROF_ESCAPE_LOST;
		if (item.kind == EVENT_ESCAPE && !resumes && item.id != CPROF_ESCAPE_SUSPEND)
			continue;
		if (merge->next < merge->end && merge->next->middle_ticks <= item.ticks) {
			added = bytes_add(&merge->ids, chunk->ids + copied, anchor - copied) && switches_add(merge, item.ticks, !resumes && !lost, &items);
			copied = anchor;
		}
		if (!added)
			return &cprof_enomem;
		lost = false;
		anchor = (size_t)(decoder.ids.position - chunk->ids);
	}
	if (error) { /* whoever reads it will find out */
		merge->next = next;
		cprof_error_free(error);
		return NULL;
	}
	if (!bytes_add(&merge->ids, chunk->ids + copied, chunk->ids_bytes - copied))
		return &cprof_enomem;
	if (items > UINT32_MAX - chunk->header.items)
		return NULL;
	chunk->ids = merge->ids.data;
	chunk->ids_bytes = merge->ids.used;
	chunk->header.items += items;
	return NULL;
}
