/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traces and non-traces that the CLI tests read, written into the current folder. 1 tick = 1 ns; functions are absolute addresses
 * whose names are in perf.map, so that nothing depends on a compiler.
 *
 *   plain.lz4      two threads; main 1,000,000 ns calls parse twice from two places, parse calls lex; the worker calls lex
 *   recursion.lz4  fib 5 deep, folded
 *   killed.lz4     a process that was killed: the last calls are in its live file
 *   lost.lz4       events lost, a call without exit, an exit without call
 *   hostile.lz4    names that try to become markup, script, escape sequences
 *   cut.lz4        plain.lz4 without its last third
 *   flipped.lz4    plain.lz4 with a bit of its events flipped
 *   future.lz4     of format version 99
 *   fork.lz4, fork.11.lz4  two processes of one session; other.lz4 of another
 *   exec.lz4, exec.1.lz4   two images of one process: the first has no END, and the second begins after it
 *   feature.lz4    requires a feature that does not exist
 *   those of make_kernel_traces.c, whose names are in kernel.map
 *   empty.lz4      nothing; text.lz4: text
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_kernel_traces.h"
#include "trace_builder.h"

enum { MAIN = 0x1000, PARSE = 0x2000, LEX = 0x3000, WORKER = 0x4000, FIB = 0x5000, EVIL = 0x6000, QUOTE = 0x7000 };

static const char perf_map[] = "1000 100 main\n"
			       "2000 100 parse\n"
			       "3000 100 lex\n"
			       "4000 100 worker\n"
			       "5000 100 fib\n"
			       "6000 100 </script><img src=x onerror=alert(1)>\033[31m\n"
			       "7000 100 a \"quoted, name\" & \xFF\n";

static const char kernel_map[] = "1000 100 main\n"
				 "2000 100 load\n"
				 "3000 100 serve\n"
				 "4000 100 save\n"
				 "5000 100 worker\n"
				 "6000 100 grab\n"
				 "7000 100 tiny\n"
				 "900000 100 helper_main\n";

static struct trace_builder *make_plain(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);
	uint32_t first = trace_builder_context(builder, top, PARSE, 0x1010);
	uint32_t second = trace_builder_context(builder, top, PARSE, 0x1020);
	uint32_t lex_first = trace_builder_context(builder, first, LEX, 0x2010);
	uint32_t lex_second = trace_builder_context(builder, second, LEX, 0x2010);
	uint32_t worker = trace_builder_context(builder, 0, WORKER, 0x600);
	uint32_t lex_worker = trace_builder_context(builder, worker, LEX, 0x4010);

	trace_builder_enter(builder, 0, 10000, top);
	trace_builder_enter(builder, 0, 110000, first);
	for (unsigned i = 0; i < 3; i++) {
		trace_builder_enter(builder, 0, 120000 + i * 20000, lex_first);
		trace_builder_exit(builder, 0, 130000 + i * 20000);
	}
	trace_builder_exit(builder, 0, 310000);
	trace_builder_cut(builder, 0);
	trace_builder_enter(builder, 0, 410000, second);
	for (unsigned i = 0; i < 5; i++) {
		trace_builder_enter(builder, 0, 420000 + i * 50000, lex_second);
		trace_builder_exit(builder, 0, 460000 + i * 50000);
	}
	trace_builder_exit(builder, 0, 910000);
	trace_builder_exit(builder, 0, 1010000);
	trace_builder_enter(builder, 1, 200000, worker);
	for (unsigned i = 0; i < 4; i++) {
		trace_builder_enter(builder, 1, 300000 + i * 10000, lex_worker);
		trace_builder_exit(builder, 1, 305000 + i * 10000);
	}
	trace_builder_exit(builder, 1, 600000);
	strcpy(trace_builder_thread_record(builder, 0)->name, "app");
	strcpy(trace_builder_thread_record(builder, 1)->name, "worker");
	trace_builder_thread_record(builder, 0)->tid = 100;
	trace_builder_thread_record(builder, 1)->tid = 101;
	trace_builder_end(builder);
	return builder;
}

static void make_recursion(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);
	uint32_t fib = trace_builder_context(builder, top, FIB, 0x1010);
	uint32_t again = trace_builder_edge(builder, fib, fib, 0x5010);

	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 3000, fib);
	for (unsigned i = 0; i < 4; i++)
		trace_builder_enter(builder, 0, 4000 + i * 1000, again);
	for (unsigned i = 0; i < 5; i++)
		trace_builder_exit(builder, 0, 10000 + i * 1000);
	trace_builder_exit(builder, 0, 20000);
	trace_builder_end(builder);
	trace_builder_write(builder, "recursion.lz4");
	trace_builder_destroy(builder);
}

/* 300 calls of one function, the three longest (of 1000, 999 and 998 times the others) before all others: one in a hundred is known only at the end. */
static void make_slow_first(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);
	uint32_t parse = trace_builder_context(builder, top, PARSE, 0x1010);
	uint64_t now = 3000;

	trace_builder_enter(builder, 0, 2000, top);
	for (unsigned i = 0; i < 300; i++) {
		trace_builder_enter(builder, 0, now, parse);
		now += i < 3 ? (1000 - i) * 100 : 100;
		trace_builder_exit(builder, 0, now);
		now += 50;
	}
	trace_builder_exit(builder, 0, now);
	trace_builder_end(builder);
	trace_builder_write(builder, "slow_first.lz4");
	trace_builder_destroy(builder);
}

static void make_killed(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);
	uint32_t parse = trace_builder_context(builder, top, PARSE, 0x1010);

	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 3000, parse);
	trace_builder_exit(builder, 0, 4000);
	trace_builder_cut(builder, 0);
	trace_builder_enter(builder, 0, 5000, parse);
	trace_builder_end_live(builder);
	trace_builder_write(builder, "killed.lz4");
	trace_builder_destroy(builder);
}

static void make_lost(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);
	uint32_t parse = trace_builder_context(builder, top, PARSE, 0x1010);

	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 3000, parse);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 1);
	trace_builder_enter(builder, 0, 5000, parse);
	trace_builder_exit(builder, 0, 6000);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_UNMATCHED, 2);
	trace_builder_exit(builder, 0, 8000);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_LOST, 1234);
	trace_builder_enter(builder, 0, 9000, top);
	trace_builder_exit(builder, 0, 10000);
	trace_builder_loss(builder, 0, CPROF_LOSS_BUFFER_FULL, 1234);
	trace_builder_thread_record(builder, 0)->lost_events = 1234;
	trace_builder_thread_record(builder, 0)->repaired_calls = 1;
	trace_builder_thread_record(builder, 0)->unmatched_exits = 2;
	trace_builder_end(builder);
	trace_builder_write(builder, "lost.lz4");
	trace_builder_destroy(builder);
}

static void make_hostile(void)
{
	const struct trace_builder_options options = { .strings = "exe=/bin/\033[2Jevil\ncmdline=./evil '</svg><script>' \xC0\x80\ncwd=/\nwriter=w" };
	struct trace_builder *builder = trace_builder_create(&options);
	uint32_t top = trace_builder_context(builder, 0, EVIL, 0x500);
	uint32_t quote = trace_builder_context(builder, top, QUOTE, 0x6010);

	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 3000, quote);
	trace_builder_exit(builder, 0, 6000);
	trace_builder_exit(builder, 0, 12000);
	trace_builder_end(builder);
	trace_builder_write(builder, "hostile.lz4");
	trace_builder_destroy(builder);
}

static void make_process(const char *path, uint8_t session, uint32_t pid, uint64_t function)
{
	struct trace_builder_options options = { .pid = pid };
	struct trace_builder *builder;
	uint32_t top;

	memset(options.session, session, sizeof options.session);
	builder = trace_builder_create(&options);
	top = trace_builder_context(builder, 0, function, 0x500);
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_exit(builder, 0, 3000);
	trace_builder_end(builder);
	trace_builder_write(builder, path);
	trace_builder_destroy(builder);
}

static void make_exec(void)
{
	struct trace_builder_options options = { .pid = 30 };

	memset(options.session, 3, sizeof options.session);
	for (uint32_t image = 0; image < 2; image++) {
		options.generation = image;
		options.start_tsc = 1000 + image * 10000;
		struct trace_builder *builder = trace_builder_create(&options);
		uint32_t top = trace_builder_context(builder, 0, image ? PARSE : MAIN, 0x500);

		trace_builder_enter(builder, 0, options.start_tsc + 1000, top);
		if (image)
			trace_builder_exit(builder, 0, options.start_tsc + 2000);
		image ? trace_builder_end(builder) : trace_builder_end_live(builder);
		trace_builder_write(builder, image ? "exec.1.lz4" : "exec.lz4");
		trace_builder_destroy(builder);
	}
}

static void make_feature(void)
{
	const struct trace_builder_options options = { .required_features = 1ull << 40, .strings = "exe=/bin/app\nrequires=time-travel" };
	struct trace_builder *builder = trace_builder_create(&options);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500);

	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_exit(builder, 0, 3000);
	trace_builder_end(builder);
	trace_builder_write(builder, "feature.lz4");
	trace_builder_destroy(builder);
}

static void make_future(void)
{
	const struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_META, .version = 99, .payload_bytes = 100,
						   .thread = CPROF_NO_THREAD, .items = 1 };
	const struct trace_builder_options options = { .no_meta = true };
	struct trace_builder *builder = trace_builder_create(&options);
	uint8_t payload[100] = { 0 };

	trace_builder_chunk(builder, &header, payload, sizeof payload);
	trace_builder_end(builder);
	trace_builder_write(builder, "future.lz4");
	trace_builder_destroy(builder);
}

static void make_damaged(struct trace_builder *plain)
{
	size_t nr_bytes;
	uint8_t *bytes = trace_builder_bytes(plain, &nr_bytes);
	size_t chunk = 0;

	trace_builder_write_file("cut.lz4", bytes, nr_bytes - nr_bytes / 3);
	while (trace_builder_entry(plain, chunk)->kind != CPROF_CHUNK_EVENTS)
		chunk++;
	const struct cprof_index_entry *entry = trace_builder_entry(plain, chunk);
	bytes[entry->offset + entry->frame_bytes - 20] ^= 4;
	trace_builder_write_file("flipped.lz4", bytes, nr_bytes);
}

int main(void)
{
	struct trace_builder *plain = make_plain();

	trace_builder_write(plain, "plain.lz4");
	make_damaged(plain);
	trace_builder_destroy(plain);
	make_recursion();
	make_slow_first();
	make_killed();
	make_lost();
	make_hostile();
	make_process("fork.lz4", 1, 10, MAIN);
	make_process("fork.11.lz4", 1, 11, PARSE);
	make_process("other.lz4", 2, 20, MAIN);
	make_exec();
	make_feature();
	make_future();
	make_kernel_traces();
	trace_builder_write_file("kernel.map", kernel_map, sizeof kernel_map - 1);
	trace_builder_write_file("perf.map", perf_map, sizeof perf_map - 1);
	trace_builder_write_file("empty.lz4", "", 0);
	trace_builder_write_file("text.lz4", "This is no trace.\n", 18);
	return 0;
}
