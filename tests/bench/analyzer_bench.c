/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the model reads events, and with how much memory: analyzer_bench [TRACE...]
 *
 * Without arguments: the decode loop alone on synthetic columns, for several shapes of programs. With traces: each whole session, from opening the
 * files to the finished profile, without symbols. Prints the fastest of some rounds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "call_tally.h"
#include "leb_column.h"
#include "profile.h"
#include "session.h"
#include "symbolizer.h"

enum { ROUNDS = 7, CHUNK_EVENTS = 64 << 10 };

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double peak_megabytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static void fail(const char *what)
{
	fprintf(stderr, "analyzer_bench: %s\n", what);
	exit(1);
}

static void check(struct cprof_error *error)
{
	if (!error)
		return;
	cprof_error_print(error, "analyzer_bench");
	exit(1);
}

/* Synthetic programs. */

struct shape {
	const char *name;
	uint32_t contexts;
	uint32_t fan_out;     /* children of a context */
	uint32_t loop;        /* a caller repeats what it just did about so many times */
	bool counted;         /* as in a program that is all recursion */
};

struct columns {
	uint8_t *ids, *times;
	size_t ids_bytes, times_bytes;
};

static uint64_t random_state = 88172645463325252;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * limit >> 32);
}

static void leb_put(uint8_t *column, size_t *bytes, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		column[(*bytes)++] = (uint8_t)(number | 0x80);
	column[(*bytes)++] = (uint8_t)number;
}

/* The children of context c are those with parent c: numbered like a heap, so that hot ones are spread like in a real table. */
static uint32_t first_child(const struct shape *shape, uint32_t context)
{
	uint64_t child = (uint64_t)context * shape->fan_out + 1;

	return child < shape->contexts ? (uint32_t)child : 0;
}

struct walker {
	uint32_t stack[256];
	uint32_t last[256];   /* child chosen last at this depth, and how often it will be called again */
	uint32_t repeats[256];
	uint32_t depth;
};

static uint32_t walk(const struct shape *shape, struct walker *walker) /* 0: exit */
{
	uint32_t context = walker->stack[walker->depth], child = first_child(shape, context), depth = walker->depth;

	if (walker->repeats[depth]) {
		walker->repeats[depth]--;
	} else {
		/* The sooner of a caller's children are called far more often. */
		if (depth && (!child || random_below(3) == 0 || depth == 255))
			return 0;
		uint32_t choice = random_below(shape->fan_out);
		child = child + random_below(choice + 1);
		walker->last[depth] = child < shape->contexts ? child : shape->contexts - 1;
		walker->repeats[depth] = random_below(2 * shape->loop + 1);
	}
	walker->depth++;
	walker->stack[walker->depth] = walker->last[depth];
	walker->repeats[walker->depth] = 0;
	return walker->last[depth];
}

static uint64_t step_ticks(void)
{
	uint32_t kind = random_below(64);

	/* Steps of 26 ticks, as a TSC behind a hypervisor has; now and then a cache miss or a system call. */
	return 26 * (kind < 58 ? 1 + random_below(4) : kind < 63 ? 4 + random_below(30) : 30 + random_below(3000));
}

static struct columns columns_make(const struct shape *shape, struct walker *walker)
{
	struct columns columns = { malloc(CHUNK_EVENTS * 5), malloc(CHUNK_EVENTS * 10), 0, 0 };

	if (!columns.ids || !columns.times)
		fail("no memory");
	for (uint32_t i = 0; i < CHUNK_EVENTS; i++) {
		uint32_t context = walk(shape, walker);

		if (!context)
			walker->depth--;
		leb_put(columns.ids, &columns.ids_bytes, context ? context + CPROF_ID_ENTER_BASE : CPROF_ID_EXIT);
		leb_put(columns.times, &columns.times_bytes, step_ticks());
	}
	return columns;
}

static double leb_time(const struct columns *columns, size_t nr_columns)
{
	uint64_t number;
	double begin = seconds_now();

	for (size_t i = 0; i < nr_columns; i++) {
		struct leb_column ids = { columns[i].ids, columns[i].ids + columns[i].ids_bytes };
		struct leb_column times = { columns[i].times, columns[i].times + columns[i].times_bytes };

		while (leb_column_next(&ids, &number) || leb_column_next(&times, &number))
			;
	}
	return seconds_now() - begin;
}

static double tally_time(const struct shape *shape, const struct columns *columns, size_t nr_columns)
{
	struct call_tally tally;
	uint64_t tsc = 1000000;

	check(call_tally_init(&tally, shape->contexts, 3, false));
	for (uint32_t id = 1; id < shape->contexts; id++)
		tally.slots[id] = (struct call_slot){ .target = id, .flags = shape->counted ? CALL_SLOT_COUNTED : 0, .node_group = 1,
						      .function_group = 2, .parent = (id - 1) / shape->fan_out };
	double begin = seconds_now();
	call_tally_begin_thread(&tally);
	for (size_t i = 0; i < nr_columns; i++) {
		struct events_chunk chunk = { .header = { .first_tsc = tsc, .context = 0 }, .ids = columns[i].ids, .times = columns[i].times,
					      .ids_bytes = columns[i].ids_bytes, .times_bytes = columns[i].times_bytes };

		check(call_tally_add_chunk(&tally, &chunk));
		tsc = tally.now;
	}
	check(call_tally_end_thread(&tally, 0));
	double seconds = seconds_now() - begin;

	if (tally.totals.events != (uint64_t)nr_columns * CHUNK_EVENTS || tally.totals.damaged_chunks)
		fail("the columns were not read whole");
	call_tally_deinit(&tally);
	return seconds;
}

static void shape_run(const struct shape *shape)
{
	enum { NR_COLUMNS = 128 };
	struct columns columns[NR_COLUMNS];
	struct walker walker = { .depth = 0 };
	double best = 1e9, best_leb = 1e9, events = (double)NR_COLUMNS * CHUNK_EVENTS, bytes = 0;

	for (int i = 0; i < NR_COLUMNS; i++) {
		columns[i] = columns_make(shape, &walker);
		bytes += (double)(columns[i].ids_bytes + columns[i].times_bytes);
	}
	for (int round = 0; round < ROUNDS; round++) {
		double leb = leb_time(columns, NR_COLUMNS), tally = tally_time(shape, columns, NR_COLUMNS);

		best_leb = leb < best_leb ? leb : best_leb;
		best = tally < best ? tally : best;
	}
	printf("%-28s %6.2f ns/event (of it LEB128 %.2f) %7.0f M events/s  %.2f bytes/event  %.0f MB\n", shape->name, best / events * 1e9,
	       best_leb / events * 1e9, events / best * 1e-6, bytes / events, peak_megabytes());
	for (int i = 0; i < NR_COLUMNS; i++) {
		free(columns[i].ids);
		free(columns[i].times);
	}
}

/* Real traces. */

static double profile_time(const char *const *paths, size_t nr_paths, uint64_t *events)
{
	struct session *session;
	struct symbolizer *symbolizer;
	struct profile *profile;
	double begin = seconds_now();

	check(session_open(paths, nr_paths, &session));
	check(symbolizer_create(&(struct symbolizer_options){ 0 }, &symbolizer));
	check(profile_create(session, symbolizer, &(struct profile_options){ 0 }, &profile));
	double seconds = seconds_now() - begin;

	*events = profile->info.events;
	profile_destroy(profile);
	symbolizer_destroy(symbolizer);
	session_destroy(session);
	return seconds;
}

static void traces_run(const char *const *paths, size_t nr_paths)
{
	double best = 1e9;
	uint64_t events = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double seconds = profile_time(paths, nr_paths, &events);

		best = seconds < best ? seconds : best;
	}
	printf("%s: %" PRIu64 " events, %.2f ns/event, %.0f M events/s, peak %.0f MB\n", paths[0], events, best / (double)events * 1e9,
	       (double)events / best * 1e-6, peak_megabytes());
}

int main(int argc, char **argv)
{
	static const struct shape shapes[] = {
		{ "tiny: 100 contexts", 100, 3, 1, false },
		{ "7,400 contexts, counted", 7400, 6, 1, true },
		{ "92,000 contexts", 92000, 8, 1, false },
		{ "92,000 contexts, loops", 92000, 8, 8, false },
		{ "92,000 contexts, counted", 92000, 8, 1, true },
		{ "2,000,000 contexts", 2000000, 8, 1, false },
	};

	if (argc > 1) {
		traces_run((const char *const *)argv + 1, (size_t)argc - 1);
		return 0;
	}
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		shape_run(&shapes[i]);
	return 0;
}
