/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_allocs.h. */
#include "live_allocs.h"

enum { SUMS_MAX = 65536, PROCESSES_MAX = 32768 };

struct amounts {
	uint64_t calls, bytes, freed_calls, freed_bytes;
};

struct sum {
	struct live_key key;
	struct amounts before;       /* the recording */
	struct amounts applied, read;
};

struct reading {
	struct live_process_key key;
	uint64_t last;               /* there will be no more */
};

void live_allocs_init(struct live_allocs *allocs)
{
	*allocs = (struct live_allocs){ .sums = LIVE_TABLE(struct live_key, struct sum, SUMS_MAX),
					.processes = LIVE_TABLE(struct live_process_key, struct reading, PROCESSES_MAX) };
}

void live_allocs_deinit(struct live_allocs *allocs)
{
	live_table_deinit(&allocs->sums);
	live_table_deinit(&allocs->processes);
}

bool live_allocs_is_wanted(const struct live_allocs *allocs, uint32_t tgid, uint32_t generation)
{
	struct live_process_key key = { tgid, generation };
	const struct reading *reading = live_table_find(&allocs->processes, &key);

	return !reading || !reading->last;
}

/* Read while it is written: the words of a record may be of different moments, each for itself is right. */
static void raise(struct amounts *to, const struct amounts *from)
{
	to->calls = from->calls > to->calls ? from->calls : to->calls;
	to->bytes = from->bytes > to->bytes ? from->bytes : to->bytes;
	to->freed_calls = from->freed_calls > to->freed_calls ? from->freed_calls : to->freed_calls;
	to->freed_bytes = from->freed_bytes > to->freed_bytes ? from->freed_bytes : to->freed_bytes;
}

void live_allocs_read(struct live_allocs *allocs, uint32_t tgid, uint32_t generation, const struct cprof_alloc *records, size_t nr,
		      bool earlier, bool last)
{
	struct live_process_key process = { tgid, generation };
	bool first = !live_table_find(&allocs->processes, &process);
	struct reading *reading = live_table_put(&allocs->processes, &process);

	if (reading)
		reading->last = last;
	for (size_t i = 0; i < nr; i++) {
		struct amounts amounts = { records[i].calls, records[i].bytes, records[i].freed_calls, records[i].freed_bytes };
		struct live_key key = { tgid, (uint16_t)generation, LIVE_CONTEXT, records[i].context };
		struct sum *sum = live_table_put(&allocs->sums, &key);

		if (!sum) {
			allocs->dropped++;
			continue;
		}
		raise(&sum->read, &amounts);
		if (first && earlier)
			sum->before = sum->applied = sum->read;
	}
}

static struct live_numbers numbers_of(const struct amounts *to, const struct amounts *from)
{
	return (struct live_numbers){ .allocs = to->calls - from->calls, .alloc_bytes = to->bytes - from->bytes,
				      .frees = to->freed_calls - from->freed_calls, .freed_bytes = to->freed_bytes - from->freed_bytes };
}

void live_allocs_apply(struct live_allocs *allocs, struct live_model *model)
{
	for (size_t i = 0; i < allocs->sums.count; i++) {
		struct sum *sum = live_table_at(&allocs->sums, i);
		struct live_numbers now = numbers_of(&sum->read, &sum->applied), total = numbers_of(&sum->read, &sum->before);

		live_model_add(model, &sum->key, &now, &total);
		sum->applied = sum->read;
	}
	model->dropped += allocs->dropped;
}
