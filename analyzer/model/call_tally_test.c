/* SPDX-License-Identifier: BSD-2-Clause */
/* The hot loop against a decoder that is written to be obvious, on streams long enough to cross every batch; and very deep stacks. */
#include "call_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session.h"

enum { CONTEXTS = 70000, DEPTH = 400, CHUNK_EVENTS = 30000, CHUNKS = 12 };

struct reference {
	uint64_t calls[CONTEXTS], self[CONTEXTS], min[CONTEXTS], max[CONTEXTS];
	struct { uint32_t id; uint64_t start; } stack[DEPTH];
	uint32_t depth;
	uint64_t now;
};

struct writer {
	uint8_t *ids, *times;
	size_t ids_bytes, times_bytes;
};

static void put(uint8_t *bytes, size_t *count, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		bytes[(*count)++] = (uint8_t)(number | 0x80);
	bytes[(*count)++] = (uint8_t)number;
}

static void reference_exit(struct reference *reference)
{
	uint32_t id = reference->stack[--reference->depth].id;
	uint64_t ticks = reference->now - reference->stack[reference->depth].start;

	if (!reference->calls[id] || ticks < reference->min[id])
		reference->min[id] = ticks;
	if (ticks > reference->max[id])
		reference->max[id] = ticks;
	reference->calls[id]++;
}

/* A parent may be anything here: the loop credits what the events say. */
static void random_event(struct reference *reference, struct writer *writer)
{
	uint64_t step = random() % 50 ? (uint64_t)random() % 128 : (uint64_t)random() << random() % 12;
	uint32_t enter = reference->depth == 0 || (reference->depth < DEPTH && random() % 2);
	uint32_t current = reference->depth ? reference->stack[reference->depth - 1].id : 0;

	put(writer->times, &writer->times_bytes, step);
	reference->now += step;
	reference->self[current] += step;
	if (enter) {
		uint32_t id = 1 + (uint32_t)random() % (random() % 3 ? 40 : CONTEXTS - 1);

		put(writer->ids, &writer->ids_bytes, id + 2);
		reference->stack[reference->depth].id = id;
		reference->stack[reference->depth++].start = reference->now;
	} else {
		put(writer->ids, &writer->ids_bytes, 0);
		reference_exit(reference);
	}
}

static void slots_fill(struct call_tally *tally)
{
	for (uint32_t id = 1; id < tally->nr_contexts; id++)
		tally->slots[id] = (struct call_slot){ .target = id };
}

static struct events_chunk chunk_of(const struct writer *writer, uint64_t first_tsc, uint32_t context)
{
	return (struct events_chunk){ .header = { .first_tsc = first_tsc, .context = context }, .ids = writer->ids, .times = writer->times,
				      .ids_bytes = writer->ids_bytes, .times_bytes = writer->times_bytes };
}

static uint64_t slot_calls(const struct call_slot *slot)
{
	struct histogram_sum sum = { 0 };
	assert_true(histogram_sum_add(&sum, &slot->durations));
	uint64_t total = sum.total;

	histogram_sum_deinit(&sum);
	return total;
}

static void test_against_reference(void **state)
{
	static struct reference reference;
	struct call_tally tally;
	struct writer writer = { .ids = malloc(CHUNK_EVENTS * 5), .times = malloc(CHUNK_EVENTS * 10) };

	(void)state;
	srandom(4);
	reference.now = 5000;
	assert_null(call_tally_init(&tally, CONTEXTS, 1, false));
	slots_fill(&tally);
	call_tally_begin_thread(&tally);
	for (int chunk = 0; chunk < CHUNKS; chunk++) {
		uint64_t first_tsc = reference.now;
		uint32_t context = reference.depth ? reference.stack[reference.depth - 1].id : 0;

		writer.ids_bytes = writer.times_bytes = 0;
		for (int i = 0; i < CHUNK_EVENTS; i++)
			random_event(&reference, &writer);
		struct events_chunk events = chunk_of(&writer, first_tsc, context);
		assert_null(call_tally_add_chunk(&tally, &events));
	}
	assert_int_equal(tally.totals.damaged_chunks, 0);
	assert_int_equal(tally.totals.events, CHUNKS * CHUNK_EVENTS);
	assert_int_equal(tally.depth, reference.depth);
	assert_int_equal(tally.now, reference.now);
	for (uint32_t id = 1; id < CONTEXTS; id++) {
		assert_int_equal(slot_calls(&tally.slots[id]), reference.calls[id]);
		assert_int_equal(tally.slots[id].self_ticks, reference.self[id]);
		assert_int_equal(tally.slots[id].max_ticks, reference.max[id]);
		if (reference.calls[id])
			assert_int_equal(~tally.slots[id].min_complement, reference.min[id]);
	}
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

/* --- what the scheduler did --- */

struct sched_reference {
	uint64_t figures[CONTEXTS][SCHED_FIGURES], uncovered[CONTEXTS];
	uint64_t sums[SCHED_FIGURES];
	struct tally_cover cover;
};

static void put_sum(struct writer *writer, uint32_t figure, uint64_t sum)
{
	if (sum >> CPROF_SCHED_VALUE_BITS) {
		put(writer->ids, &writer->ids_bytes, CPROF_ID_ESCAPE);
		put(writer->ids, &writer->ids_bytes, CPROF_ESCAPE_SCHED);
		put(writer->ids, &writer->ids_bytes, (uint64_t)CPROF_SCHED_HIGH << 28 | sum >> CPROF_SCHED_VALUE_BITS);
	}
	put(writer->ids, &writer->ids_bytes, CPROF_ID_ESCAPE);
	put(writer->ids, &writer->ids_bytes, CPROF_ESCAPE_SCHED);
	put(writer->ids, &writer->ids_bytes, (uint64_t)figure << 28 | (sum & 0xFFFFFFF));
}

static bool is_covered(const struct tally_cover *cover, uint64_t now)
{
	return now >= cover->from_ticks && now < cover->to_ticks;
}

static uint64_t clip(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* Sums that move now and then, sometimes said without having moved. */
static void random_sched(struct sched_reference *sched, const struct reference *reference, struct writer *writer)
{
	uint32_t figure = (uint32_t)random() % (CPROF_SCHED_BLOCKED + 6), current = reference->depth ? reference->stack[reference->depth - 1].id : 0;
	uint64_t growth = random() % 4 ? (uint64_t)random() << random() % 8 : 0;

	sched->sums[figure] += growth;
	put_sum(writer, figure, sched->sums[figure]);
	if (is_covered(&sched->cover, reference->now))
		sched->figures[current][figure] += growth;
}

static void sched_event(struct sched_reference *sched, struct reference *reference, struct writer *writer)
{
	uint32_t current = reference->depth ? reference->stack[reference->depth - 1].id : 0;
	uint64_t before = reference->now, covered;

	for (int i = 0; random() % 4 == 0 && i < 3; i++)
		random_sched(sched, reference, writer);
	random_event(reference, writer);
	covered = sched->cover.from_ticks < sched->cover.to_ticks ? clip(sched->cover.to_ticks, before, reference->now) - clip(sched->cover.from_ticks, before, reference->now) : 0;
	sched->uncovered[current] += reference->now - before - covered;
}

static void check_sched(struct tally_cover cover)
{
	static struct reference reference;
	static struct sched_reference sched;
	struct writer writer = { .ids = malloc(CHUNK_EVENTS * 60), .times = malloc(CHUNK_EVENTS * 10) };
	struct call_tally tally;

	srandom(7);
	memset(&reference, 0, sizeof reference);
	memset(&sched, 0, sizeof sched);
	reference.now = 5000;
	sched.cover = cover;
	assert_null(call_tally_init(&tally, CONTEXTS, 1, false));
	slots_fill(&tally);
	call_tally_begin_thread(&tally);
	assert_null(call_tally_set_cover(&tally, cover));
	for (int chunk = 0; chunk < 4; chunk++) {
		uint64_t first_tsc = reference.now;
		uint32_t context = reference.depth ? reference.stack[reference.depth - 1].id : 0;

		writer.ids_bytes = writer.times_bytes = 0;
		for (int i = 0; i < CHUNK_EVENTS / 4; i++)
			sched_event(&sched, &reference, &writer);
		struct events_chunk events = chunk_of(&writer, first_tsc, context);
		assert_null(call_tally_add_chunk(&tally, &events));
	}
	assert_int_equal(tally.totals.damaged_chunks, 0);
	assert_int_equal(tally.totals.sched_shrunk, 0);
	assert_null(call_tally_end_thread(&tally, 0));
	for (uint32_t id = 1; id < CONTEXTS; id++) {
		assert_int_equal(tally.slots[id].self_ticks, reference.self[id]);
		static const struct call_sched nothing;

		assert_memory_equal(tally.sched.slots ? tally.sched.slots[id].figures : nothing.figures, sched.figures[id], sizeof nothing.figures);
		assert_int_equal(tally.sched.slots ? tally.sched.slots[id].uncovered_ticks : 0, sched.uncovered[id]);
	}
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

static void test_sched_against_reference(void **state)
{
	(void)state;
	check_sched((struct tally_cover){ 0, UINT64_MAX });
	check_sched((struct tally_cover){ 0, 0 });
	check_sched((struct tally_cover){ 0, 400000 });
	check_sched((struct tally_cover){ 300000, UINT64_MAX });
	check_sched((struct tally_cover){ 250000, 250007 });
	check_sched((struct tally_cover){ 100000, 2000000 });
	check_sched((struct tally_cover){ UINT64_MAX / 8, UINT64_MAX });
}

/* A sum that shrinks is damage, said and not believed; what is said first after a hole is nobody's. */
static void test_sched_damage_and_holes(void **state)
{
	struct writer writer = { .ids = malloc(400), .times = malloc(400) };
	struct call_tally tally;

	(void)state;
	assert_null(call_tally_init(&tally, 3, 1, false));
	slots_fill(&tally);
	put(writer.ids, &writer.ids_bytes, 3);
	put(writer.times, &writer.times_bytes, 10);
	put_sum(&writer, CPROF_SCHED_RUNQ, 100);
	put_sum(&writer, CPROF_SCHED_RUNQ, 40);
	put_sum(&writer, CPROF_SCHED_RUNQ, 50);
	put(writer.ids, &writer.ids_bytes, 0);
	put(writer.times, &writer.times_bytes, 10);
	put(writer.ids, &writer.ids_bytes, CPROF_ID_ESCAPE);
	put(writer.ids, &writer.ids_bytes, CPROF_ESCAPE_LOST);
	put(writer.ids, &writer.ids_bytes, 7);
	put(writer.ids, &writer.ids_bytes, 4);
	put(writer.times, &writer.times_bytes, 10);
	put_sum(&writer, CPROF_SCHED_RUNQ, 900);
	put_sum(&writer, CPROF_SCHED_RUNQ, 905);
	put(writer.ids, &writer.ids_bytes, 0);
	put(writer.times, &writer.times_bytes, 10);
	struct events_chunk events = chunk_of(&writer, 100, 0);

	call_tally_begin_thread(&tally);
	assert_null(call_tally_add_chunk(&tally, &events));
	assert_null(call_tally_end_thread(&tally, 0));
	assert_int_equal(tally.totals.damaged_chunks, 0);
	assert_int_equal(tally.totals.sched_shrunk, 1);
	assert_int_equal(tally.sched.slots[1].figures[CPROF_SCHED_RUNQ], 110);
	assert_int_equal(tally.sched.slots[2].figures[CPROF_SCHED_RUNQ], 5);
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

/* levels calls, one inside the other, that never end; or do, when nr_exits is as large. */
static void make_deep(struct writer *writer, size_t levels, size_t nr_exits)
{
	writer->ids = malloc(levels + nr_exits);
	writer->times = malloc(levels + nr_exits);
	memset(writer->ids, 3, levels);
	memset(writer->ids + levels, 0, nr_exits);
	memset(writer->times, 1, levels + nr_exits);
	writer->ids_bytes = writer->times_bytes = levels + nr_exits;
}

static void test_deep_recursion(void **state)
{
	enum { LEVELS = 3000000 };
	struct call_tally tally;
	struct writer writer;

	(void)state;
	make_deep(&writer, LEVELS, LEVELS);
	assert_null(call_tally_init(&tally, 2, 3, false));
	tally.slots[1] = (struct call_slot){ .target = 1, .flags = CALL_SLOT_COUNTED, .node_group = 1, .function_group = 2 };
	struct events_chunk events = chunk_of(&writer, 100, 0);
	call_tally_begin_thread(&tally);
	assert_null(call_tally_add_chunk(&tally, &events));
	assert_null(call_tally_end_thread(&tally, 0));
	assert_int_equal(slot_calls(&tally.slots[1]), LEVELS);
	assert_int_equal(tally.slots[1].max_ticks, 2 * LEVELS - 1);
	assert_int_equal(tally.slots[1].self_ticks, 2 * LEVELS - 1);
	assert_int_equal(tally.groups[1].span_ticks, 2 * LEVELS - 1);
	assert_int_equal(tally.groups[2].open, 0);
	assert_int_equal(tally.rare[1].open, 0);
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

static void test_bottomless_stack(void **state)
{
	struct call_tally tally;
	struct writer writer;

	(void)state;
	make_deep(&writer, CALL_TALLY_MAX_DEPTH + 10000, 0);
	assert_null(call_tally_init(&tally, 2, 1, false));
	tally.slots[1] = (struct call_slot){ .target = 1 };
	struct events_chunk events = chunk_of(&writer, 100, 0);
	call_tally_begin_thread(&tally);
	assert_null(call_tally_add_chunk(&tally, &events));
	assert_int_equal(tally.totals.damaged_chunks, 1);
	assert_int_equal(tally.depth, 0);
	assert_in_range(tally.rare[1].repaired, CALL_TALLY_MAX_DEPTH, CALL_TALLY_MAX_DEPTH + 10000);
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

/* A trace that unrolls to more than anybody could look at is refused with advice, not with all memory used. */
static void test_too_many_paths(void **state)
{
	struct call_tally tally;
	struct writer writer;
	struct cprof_error *error;

	(void)state;
	make_deep(&writer, CALL_TALLY_MAX_PATHS + 10, 0);
	assert_null(call_tally_init(&tally, 2, 1, true));
	tally.slots[1] = (struct call_slot){ .target = 1, .flags = CALL_SLOT_PATH };
	struct events_chunk events = chunk_of(&writer, 100, 0);
	call_tally_begin_thread(&tally);
	error = call_tally_add_chunk(&tally, &events);
	assert_non_null(error);
	assert_non_null(strstr(error->message, "--recursion=fold"));
	cprof_error_free(error);
	call_tally_deinit(&tally);
	free(writer.ids);
	free(writer.times);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_reference),
		cmocka_unit_test(test_sched_against_reference),
		cmocka_unit_test(test_sched_damage_and_holes),
		cmocka_unit_test(test_deep_recursion),
		cmocka_unit_test(test_bottomless_stack),
		cmocka_unit_test(test_too_many_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
