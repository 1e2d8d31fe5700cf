/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of known events become columns; a decoder of the test's own, written from docs/trace-format.md section 5, says what is in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt_contexts.h"
#include "rt_live.h"
#include "rt_modules.h"
#include "rt_replay.h"

enum { MOST = 300000 };

enum what { ENTER = 1, EXIT, EXIT_TO, ESCAPE };
struct item { enum what what; uint64_t a, b; uint64_t time; }; /* ENTER id, EXIT_TO context, ESCAPE kind payload */
struct closed { uint64_t id, start; };

static struct item items[MOST];
static struct closed closed[MOST];
static uint32_t nr_items, nr_closed;
static struct cprof_chunk_header header;
static struct rt_replay replay;
static uint64_t events[MOST];
static uint32_t nr_events;
static uint64_t sequence, high_at_start;

/* --- the decoder -------------------------------------------------------------------------------------------------------------- */

static uint64_t leb(const uint8_t **at, const uint8_t *end)
{
	uint64_t value = 0;

	for (int shift = 0;; shift += 7) {
		assert_true(*at < end && shift < 64);
		uint8_t byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
}

static void decode(const struct rt_columns *columns)
{
	struct cprof_events_header sizes;

	header = columns->header;
	memcpy(&sizes, columns->payload, sizeof sizes);
	assert_int_equal(header.payload_bytes, columns->payload_bytes);
	assert_int_equal(columns->payload_bytes, sizeof sizes + sizes.closed_bytes + sizes.ids_bytes + sizes.times_bytes);
	const uint8_t *c = columns->payload + sizeof sizes, *i = c + sizes.closed_bytes, *t = i + sizes.ids_bytes;
	const uint8_t *c_end = i, *i_end = t, *t_end = t + sizes.times_bytes;
	uint64_t time = header.first_tsc;

	for (nr_closed = 0; c < c_end; nr_closed++) {
		closed[nr_closed].id = leb(&c, c_end);
		closed[nr_closed].start = header.first_tsc - leb(&c, c_end);
	}
	assert_int_equal(nr_closed, sizes.closed_items);
	for (nr_items = 0; i < i_end; nr_items++) {
		struct item *item = &items[nr_items];
		uint64_t code = leb(&i, i_end);

		*item = (struct item){ 0 };
		if (code == 2) {
			item->what = ESCAPE;
			item->a = leb(&i, i_end);
			item->b = leb(&i, i_end);
			continue;
		}
		item->what = code == 0 ? EXIT : code == 1 ? EXIT_TO : ENTER;
		item->a = code == 1 ? leb(&i, i_end) : code ? code - 2 : 0;
		time += leb(&t, t_end);
		item->time = time;
	}
	assert_ptr_equal(t, t_end);
	assert_int_equal(nr_items, header.items);
	assert_int_equal(header.last_tsc, time);
	assert_int_equal(header.magic, CPROF_CHUNK_MAGIC);
	assert_int_equal(header.kind, CPROF_CHUNK_EVENTS);
	assert_int_equal(header.version, CPROF_FORMAT_VERSION);
}

/* --- writing down a block ------------------------------------------------------------------------------------------------------- */

static void block_begin(uint64_t clock)
{
	nr_events = 0;
	high_at_start = clock >> 32;
}

static void put(uint64_t event)
{
	assert_true(nr_events < MOST);
	events[nr_events++] = event;
}

static void enter(uint32_t id, uint64_t time)
{
	put(time << 32 | id);
}

static void leave(uint32_t to, uint64_t time)
{
	put(time << 32 | CPROF_EVENT_EXIT | to);
}

static void escape(uint32_t kind, uint32_t payload)
{
	put((uint64_t)payload << 32 | (CPROF_ESCAPE_FIRST + kind));
}

static int64_t depth_after = -1;

static void encode(void)
{
	struct cprof_block_header block = { .thread = 7, .strand = 3, .tsc_high = (uint32_t)high_at_start, .sequence = sequence };
	struct rt_columns columns;
	uint64_t bytes = rt_replay_buffer_bytes(nr_events, replay.depth);
	uint8_t *buffer = malloc(bytes + 16);

	memset(buffer + bytes, 0xA5, 16);
	assert_true(rt_replay_encode(&replay, &block, events, nr_events, depth_after, buffer, &columns));
	for (int i = 0; i < 16; i++)
		assert_int_equal(buffer[bytes + i], 0xA5);
	decode(&columns);
	assert_int_equal(header.thread, 7);
	assert_int_equal(header.strand, 3);
	assert_int_equal(header.sequence, sequence);
	sequence++;
	free(buffer);
}

static void expect(uint32_t at, enum what what, uint64_t a, uint64_t b, uint64_t time)
{
	assert_in_range(at, 0, nr_items - 1);
	assert_int_equal(items[at].what, what);
	assert_int_equal(items[at].a, a);
	assert_int_equal(items[at].b, b);
	if (what != ESCAPE)
		assert_int_equal(items[at].time, time);
}

/* main -> a -> b -> edge back to a; c a child of main. Ids 1..5. */
enum { MAIN = 1, A, B, EDGE, C };

static char path[64];

static int begin(void **state)
{
	uint32_t made[6] = { 0 };

	(void)state;
	strcpy(path, "/tmp/cprof-replay-XXXXXX");
	close(mkstemp(path));
	if (rt_live_create(path, 1 << 20) || !rt_contexts_create())
		return 1;
	made[MAIN] = rt_contexts_intern(&(struct rt_call){ 0x10, 1, 1, 0, false }).id;
	made[A] = rt_contexts_intern(&(struct rt_call){ 0x20, 2, 2, MAIN, false }).id;
	made[B] = rt_contexts_intern(&(struct rt_call){ 0x30, 3, 3, A, false }).id;
	made[EDGE] = rt_contexts_intern(&(struct rt_call){ 0x20, 4, 4, B, false }).id;
	made[C] = rt_contexts_intern(&(struct rt_call){ 0x40, 5, 5, MAIN, false }).id;
	for (uint32_t id = MAIN; id <= C; id++)
		if (made[id] != id)
			return 1;
	memset(&replay, 0, sizeof replay);
	sequence = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	rt_contexts_destroy();
	rt_modules_reset();
	rt_live_remove();
	rt_live_forget();
	return unlink(path);
}

/* --- tests ---------------------------------------------------------------------------------------------------------------------- */

static void test_calls(void **state)
{
	const uint64_t t = 0x500000000u + 1000;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 10);
	enter(B, t + 300);
	enter(EDGE, t + 301);
	enter(B, t + 302);
	leave(A, t + 400);
	leave(B, t + 500);
	leave(A, t + 600);
	leave(MAIN, t + 70000);
	encode();
	assert_int_equal(header.first_tsc, t); /* the first event is the base */
	assert_int_equal(header.last_tsc, t + 70000);
	assert_int_equal(header.depth, 0);
	assert_int_equal(header.context, 0);
	assert_int_equal(nr_items, 9);
	assert_int_equal(nr_closed, 0);
	expect(0, ENTER, MAIN, 0, t);
	expect(1, ENTER, A, 0, t + 10);
	expect(2, ENTER, B, 0, t + 300);
	expect(3, ENTER, EDGE, 0, t + 301);
	expect(4, ENTER, B, 0, t + 302);
	expect(5, EXIT, 0, 0, t + 400);
	expect(6, EXIT, 0, 0, t + 500);
	expect(7, EXIT, 0, 0, t + 600);
	expect(8, EXIT, 0, 0, t + 70000);
	assert_int_equal(replay.events, 9);
	assert_int_equal(replay.depth, 1);
	/* An empty block is a chunk too: sequence numbers have no gaps. */
	block_begin(t);
	encode();
	assert_int_equal(nr_items, 0);
	assert_int_equal(header.depth, 1);
	assert_int_equal(header.context, MAIN);
	assert_int_equal(header.first_tsc, t + 70000);
	assert_int_equal(header.last_tsc, t + 70000);
}

static void test_clock(void **state)
{
	const uint64_t t = 0x1FFFFFFF0u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	escape(CPROF_ESCAPE_CLOCK, 2);
	enter(A, 0x200000005u);
	escape(CPROF_ESCAPE_CLOCK, 2); /* a handler said it once more */
	leave(MAIN, 0x200000006u);
	escape(CPROF_ESCAPE_CLOCK, 0x12345678u); /* a machine that slept long */
	enter(C, 0x1234567800000001u);
	escape(CPROF_ESCAPE_PAD, 0);
	encode();
	assert_int_equal(nr_items, 4); /* CLOCK and PAD stay in memory */
	expect(1, ENTER, A, 0, 0x200000005u);
	expect(2, EXIT, 0, 0, 0x200000006u);
	expect(3, ENTER, C, 0, 0x1234567800000001u);
	/* The next block starts from its own header. */
	block_begin(0x1234567900000000u);
	leave(MAIN, 0x1234567900000007u);
	encode();
	expect(0, EXIT, 0, 0, 0x1234567900000007u);
	assert_int_equal(nr_closed, 1);
	assert_int_equal(closed[0].id, C);
	assert_int_equal(closed[0].start, 0x1234567800000001u);
	assert_int_equal(header.first_tsc, 0x1234567800000001u);
}

/* A first block that begins with a change of the clock's upper half, told from the outside only by an escape. */
static void test_clock_first(void **state)
{
	(void)state;
	block_begin(0x700000000u);
	escape(CPROF_ESCAPE_CLOCK, 8);
	enter(MAIN, 0x800000003u);
	leave(0, 0x800000004u);
	encode();
	assert_int_equal(header.first_tsc, 0x800000003u);
	assert_int_equal(items[0].time, 0x800000003u);
	assert_int_equal(header.last_tsc, 0x800000004u);
}

static void test_steps_back(void **state)
{
	const uint64_t t = 0x300001000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t + 100);
	enter(A, t + 90);
	leave(MAIN, t + 95);
	enter(C, t + 110);
	encode();
	expect(1, ENTER, A, 0, t + 100);
	expect(2, EXIT, 0, 0, t + 100);
	expect(3, ENTER, C, 0, t + 110);
	assert_int_equal(replay.steps_back, 2);
	/* Also between blocks; and a call never starts before the event before it. */
	block_begin(t);
	enter(A, t + 50);
	encode();
	expect(0, ENTER, A, 0, t + 110);
	assert_int_equal(replay.steps_back, 3);
	block_begin(t);
	leave(C, t + 200);
	encode();
	assert_int_equal(closed[0].start, t + 110);
}

/* The closed column names what the chunk closes of what was open before it, innermost first, and nothing else. */
static void test_closed(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t + 1);
	enter(A, t + 2);
	enter(B, t + 3);
	enter(EDGE, t + 4);
	encode();
	assert_int_equal(nr_closed, 0);
	block_begin(t);
	leave(B, t + 10);
	enter(EDGE, t + 11); /* opened and closed here: not in the column */
	leave(B, t + 12);
	leave(A, t + 13);
	enter(B, t + 14);
	encode();
	assert_int_equal(header.depth, 4);
	assert_int_equal(header.context, A); /* inside the edge */
	assert_int_equal(nr_closed, 2);
	assert_int_equal(closed[0].id, EDGE);
	assert_int_equal(closed[0].start, t + 4);
	assert_int_equal(closed[1].id, B);
	assert_int_equal(closed[1].start, t + 3);
	block_begin(t);
	leave(A, t + 20);
	leave(MAIN, t + 21);
	leave(0, t + 22);
	encode();
	assert_int_equal(header.depth, 3);
	assert_int_equal(header.context, B);
	assert_int_equal(nr_closed, 3);
	assert_int_equal(closed[0].id, B);
	assert_int_equal(closed[0].start, t + 14);
	assert_int_equal(closed[1].id, A);
	assert_int_equal(closed[2].id, MAIN);
	assert_int_equal(closed[2].start, t + 1);
	assert_int_equal(replay.depth, 0);
}

static void test_repair(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	enter(B, t + 2);
	encode();
	block_begin(t);
	enter(EDGE, t + 3);
	escape(CPROF_ESCAPE_REPAIR, 3); /* longjmp from the edge to main */
	enter(C, t + 9);
	encode();
	assert_int_equal(nr_items, 3);
	expect(0, ENTER, EDGE, 0, t + 3);
	expect(1, ESCAPE, CPROF_ESCAPE_REPAIR, 3, 0);
	expect(2, ENTER, C, 0, t + 9);
	assert_int_equal(nr_closed, 2);
	assert_int_equal(closed[0].id, B);
	assert_int_equal(closed[1].id, A);
	assert_int_equal(replay.depth, 2);
	assert_int_equal(replay.repaired, 3);
	/* More than is open: what is open. */
	block_begin(t);
	escape(CPROF_ESCAPE_REPAIR, 100);
	enter(MAIN, t + 20);
	encode();
	assert_int_equal(nr_closed, 2);
	assert_int_equal(replay.repaired, 5);
	assert_int_equal(replay.depth, 1);
}

static void test_lost_and_inherited(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	encode();
	block_begin(t);
	escape(CPROF_ESCAPE_LOST, 1234);
	escape(CPROF_ESCAPE_INHERIT, 2);
	enter(MAIN, t + 50);
	enter(C, t + 50);
	leave(MAIN, t + 60);
	encode();
	assert_int_equal(header.depth, 2);
	assert_int_equal(header.context, A);
	expect(0, ESCAPE, CPROF_ESCAPE_LOST, 1234, 0);
	expect(1, ESCAPE, CPROF_ESCAPE_INHERIT, 2, 0);
	expect(2, ENTER, MAIN, 0, t + 50);
	expect(3, ENTER, C, 0, t + 50);
	expect(4, EXIT, 0, 0, t + 60);
	assert_int_equal(nr_closed, 2);
	assert_int_equal(closed[0].id, A);
	assert_int_equal(replay.depth, 1);
}

static void test_explicit_exit(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	enter(B, t + 2);
	leave(C, t + 3);    /* the stack holds A */
	leave(0, t + 4);    /* the stack holds MAIN */
	leave(MAIN, t + 5); /* the stack holds nothing below */
	leave(0, t + 6);    /* and now nothing at all */
	leave(A, t + 7);
	encode();
	expect(3, EXIT_TO, C, 0, t + 3);
	expect(4, EXIT_TO, 0, 0, t + 4);
	expect(5, EXIT_TO, MAIN, 0, t + 5);
	assert_int_equal(items[6].what, EXIT_TO);
	assert_int_equal(items[7].what, EXIT_TO);
	assert_int_equal(items[7].a, A);
	assert_int_equal(replay.depth, 0);
}

/* A slot that was won and never written, by an enter of A or by an exit, while a handler's calls fill the rest of the block. */
static void hole(uint32_t open, uint32_t handler_parent, uint32_t handler_call, enum what what, uint64_t a)
{
	const uint64_t t = 0x900000000u;
	static const uint32_t path_to[] = { 0, MAIN, A, B };

	block_begin(t);
	for (uint32_t i = 1; i <= open; i++)
		enter(path_to[i], t + i);
	put(0);
	enter(handler_call, t + 100);
	leave(handler_parent, t + 101);
	encode();
	expect(open, ESCAPE, CPROF_ESCAPE_UNTIMED, 0, 0);
	expect(open + 1, what, a, 0, t + open);
	expect(open + 2, ENTER, handler_call, 0, t + 100);
	expect(open + 3, EXIT, 0, 0, t + 101);
}

static void test_hole_enter(void **state)
{
	(void)state;
	hole(1, A, B, ENTER, A); /* main was entering A when the handler called B in it */
	assert_int_equal(replay.depth, 2);
}

static void test_hole_exit(void **state)
{
	(void)state;
	hole(2, MAIN, C, EXIT, 0); /* A was returning to main */
	assert_int_equal(replay.depth, 1);
}

static void test_hole_exit_to_outside(void **state)
{
	(void)state;
	hole(1, 0, MAIN, EXIT, 0);
	assert_int_equal(replay.depth, 0);
}

/*
 * main, A, B are open, and A calls itself by B: in B the missing event may be the exit to A or the enter of A by the edge, and the handler's call of B in A
 * looks the same after both. The next block's depth decides.
 */
static void recursion_hole(int64_t after, enum what what, uint64_t a, uint32_t depth)
{
	const uint64_t t = 0x900000000u;

	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	enter(B, t + 2);
	put(0);
	enter(B, t + 100);
	depth_after = after;
	encode();
	depth_after = -1;
	expect(3, ESCAPE, CPROF_ESCAPE_UNTIMED, 0, 0);
	expect(4, what, a, 0, t + 2);
	expect(5, ENTER, B, 0, t + 100);
	assert_int_equal(replay.depth, depth);
}

static void test_hole_recursion_exit(void **state)
{
	(void)state;
	recursion_hole(3, EXIT, 0, 3);
}

static void test_hole_recursion_enter(void **state)
{
	(void)state;
	recursion_hole(5, ENTER, EDGE, 5);
}

static void test_hole_recursion_unknown(void **state)
{
	(void)state;
	recursion_hole(-1, EXIT, 0, 3);
}

/* Two functions that call each other, one being entered: only the edge leads there. */
static void test_hole_edge(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	enter(B, t + 2);
	enter(EDGE, t + 3);
	enter(B, t + 4);
	leave(A, t + 5);
	enter(B, t + 6);
	put(0);
	enter(B, t + 100);
	depth_after = 7;
	encode();
	depth_after = -1;
	expect(7, ESCAPE, CPROF_ESCAPE_UNTIMED, 0, 0);
	expect(8, ENTER, EDGE, 0, t + 6);
	assert_int_equal(replay.depth, 7);
}

/* Nothing follows it: what it was is not known, and nobody needs it. */
static void test_hole_last(void **state)
{
	const uint64_t t = 0x900000000u;

	(void)state;
	block_begin(t);
	enter(MAIN, t);
	put(0);
	encode();
	assert_int_equal(nr_items, 1);
	assert_int_equal(replay.depth, 1);
}

static void test_deep(void **state)
{
	enum { DEPTH = 140000 };
	const uint64_t t = 0x900000000u;

	(void)state;
	/* Down in two blocks, by way of the edge; up in two. */
	block_begin(t);
	enter(MAIN, t);
	enter(A, t + 1);
	for (uint32_t i = 0; i < DEPTH / 2; i++)
		enter(i & 1 ? EDGE : B, t + 2 + i);
	encode();
	assert_int_equal(nr_items, DEPTH / 2 + 2);
	block_begin(t);
	for (uint32_t i = 0; i < DEPTH / 2; i++)
		enter(i & 1 ? EDGE : B, t + 200000 + i);
	encode();
	assert_int_equal(replay.depth, DEPTH + 2);
	block_begin(t);
	for (uint32_t i = 0; i < DEPTH / 2; i++)
		leave(i & 1 ? A : B, t + 400000 + i);
	encode();
	assert_int_equal(header.depth, DEPTH + 2);
	assert_int_equal(nr_closed, 65536); /* the rest is for readers that come from the chunk before */
	for (uint32_t i = 0; i < nr_closed; i++) {
		assert_int_equal(closed[i].id, i & 1 ? B : EDGE);
		assert_int_equal(closed[i].start, t + 200000 + DEPTH / 2 - 1 - i);
	}
	for (uint32_t i = 0; i < nr_items; i++)
		assert_int_equal(items[i].what, EXIT);
	block_begin(t);
	for (uint32_t i = 0; i < DEPTH / 2; i++)
		leave(i & 1 ? A : B, t + 600000 + i);
	leave(MAIN, t + 800000);
	leave(0, t + 800001);
	encode();
	assert_int_equal(header.depth, DEPTH / 2 + 2);
	assert_int_equal(replay.depth, 0);
	for (uint32_t i = 0; i < nr_items; i++)
		assert_int_equal(items[i].what, EXIT);
	assert_int_equal(replay.events, 2 * (DEPTH + 2));
}

/* Random programs over many blocks: what went in comes out, and each chunk says where it begins. */
static void test_random(void **state)
{
	static struct { uint32_t id, current; uint64_t start; } open[1000];
	static struct item expected[MOST];
	static struct closed gone[MOST];
	uint64_t t = 0xFF00000000000000u;
	uint32_t depth = 0, nr, low, nr_gone;

	(void)state;
	srandom(3);
	for (int round = 0; round < 500; round++) {
		uint32_t before = depth, context = depth ? open[depth - 1].current : 0, high = (uint32_t)(t >> 32);

		block_begin(t);
		nr = nr_gone = 0;
		low = depth;
		for (long n = random() % 400; n; n--) {
			t += random() % 4 ? (uint64_t)random() % 300 : (uint64_t)random() % 3 ? (uint64_t)random() : (uint64_t)random() << 8;
			if (t >> 32 != high)
				escape(CPROF_ESCAPE_CLOCK, high = (uint32_t)(t >> 32));
			if (depth && (depth == 999 || random() % 9 < 4)) {
				depth--;
				leave(depth ? open[depth - 1].current : 0, t);
				expected[nr++] = (struct item){ EXIT, 0, 0, t };
			} else if (depth > 3 && random() % 30 == 0) {
				uint32_t n_gone = (uint32_t)random() % 3 + 1;
				escape(CPROF_ESCAPE_REPAIR, n_gone);
				expected[nr++] = (struct item){ ESCAPE, CPROF_ESCAPE_REPAIR, n_gone, 0 };
				for (; n_gone > 1; n_gone--)
					if (--depth < low) {
						low = depth;
						gone[nr_gone++] = (struct closed){ open[depth].id, open[depth].start };
					}
				depth--;
			} else {
				struct rt_context c = rt_contexts_intern(
					&(struct rt_call){ 0x1000 + (uint64_t)random() % 20, (uint64_t)random() % 3, 9,
							   depth ? open[depth - 1].current : 0, false });
				enter(c.id, t);
				expected[nr++] = (struct item){ ENTER, c.id, 0, t };
				open[depth].id = c.id;
				open[depth].current = c.target;
				open[depth].start = t;
				depth++;
			}
			if (depth < low) {
				low = depth;
				gone[nr_gone++] = (struct closed){ open[depth].id, open[depth].start };
			}
		}
		encode();
		assert_int_equal(header.depth, before);
		assert_int_equal(header.context, context);
		assert_int_equal(nr_items, nr);
		for (uint32_t i = 0; i < nr; i++)
			expect(i, expected[i].what, expected[i].a, expected[i].b, expected[i].time);
		assert_int_equal(nr_closed, nr_gone);
		for (uint32_t i = 0; i < nr_gone; i++) {
			assert_int_equal(closed[i].id, gone[i].id);
			assert_int_equal(closed[i].start, gone[i].start);
		}
	}
	assert_int_equal(replay.steps_back, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls), TEST(test_clock), TEST(test_clock_first), TEST(test_steps_back), TEST(test_closed), TEST(test_repair),
		TEST(test_lost_and_inherited), TEST(test_explicit_exit), TEST(test_hole_enter), TEST(test_hole_exit), TEST(test_hole_exit_to_outside),
		TEST(test_hole_recursion_exit), TEST(test_hole_recursion_enter), TEST(test_hole_recursion_unknown), TEST(test_hole_edge),
		TEST(test_hole_last), TEST(test_deep), TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
