/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the seeds of trace_reader_fuzz into a folder: small traces, each with something the others do not have. */
#include "fuzz_files.h"
#include "trace_builder.h"

static const char *folder;

static void save(struct trace_builder *builder, const char *name)
{
	size_t trace_bytes, live_bytes;
	const uint8_t *trace = trace_builder_bytes(builder, &trace_bytes), *live = trace_builder_live_bytes(builder, &live_bytes);

	fuzz_put_pair(folder, name, trace, trace_bytes, live, live_bytes);
	trace_builder_destroy(builder);
}

static struct trace_builder *begin(uint32_t nr_threads)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top, work, leaf, again;

	trace_builder_module(builder, "/bin/app", 0x555555554000);
	top = trace_builder_context(builder, 0, 0x1000, 0x500);
	work = trace_builder_context(builder, top, 0x2000, 0x1010);
	leaf = trace_builder_context(builder, work, 0x3000, 0x2010);
	again = trace_builder_edge(builder, leaf, work, 0x3010);
	for (uint32_t thread = 0; thread < nr_threads; thread++) {
		uint64_t ticks = 0xFFFFFF00ull;

		trace_builder_enter(builder, thread, ticks, top);
		for (int i = 0; i < 3; i++) {
			trace_builder_enter(builder, thread, ticks += 3, work);
			trace_builder_enter(builder, thread, ticks += 5, leaf);
			trace_builder_cut(builder, thread);
			trace_builder_enter(builder, thread, ticks += 7, again);
			trace_builder_exit(builder, thread, ticks += 300);
			trace_builder_exit_to(builder, thread, ticks += 2, i ? work : leaf);
			trace_builder_exit(builder, thread, ticks += 1);
		}
	}
	return builder;
}

int main(int nr_arguments, char **arguments)
{
	struct trace_builder *builder;
	struct cprof_thread *thread;

	if (nr_arguments != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
		return 2;
	}
	folder = arguments[1];

	builder = begin(1);
	trace_builder_end(builder);
	save(builder, "plain");

	builder = begin(2);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 1);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_UNMATCHED, 2);
	trace_builder_escape(builder, 1, CPROF_ESCAPE_LOST, 3);
	trace_builder_escape(builder, 1, CPROF_ESCAPE_INHERIT, 1);
	trace_builder_enter(builder, 1, 0x100001000ull, 1);
	trace_builder_loss(builder, 1, CPROF_LOSS_BUFFER_FULL, 3);
	thread = trace_builder_thread_record(builder, 1);
	thread->clock_steps_back = 1;
	trace_builder_table(builder, 42, 0, 1, "unknown", 7);
	trace_builder_end_tables(builder);
	trace_builder_end_chunk(builder); /* no index */
	save(builder, "escapes");

	builder = begin(1);
	trace_builder_cut_lost(builder, 0);
	trace_builder_enter(builder, 0, 0x100001000ull, 2);
	trace_builder_end(builder);
	save(builder, "hole");

	builder = begin(2);
	trace_builder_enter(builder, 0, 0x100001000ull, 2);
	trace_builder_unfinished(builder, 0);
	trace_builder_enter(builder, 0, 0x100001010ull, 3);
	trace_builder_cut_both(builder, 0);
	trace_builder_exit(builder, 0, 0x100001020ull);
	trace_builder_end_live(builder);
	save(builder, "live");

	builder = begin(1);
	trace_builder_raw(builder, "what is this", 12);
	trace_builder_end(builder);
	save(builder, "rubbish");

	builder = trace_builder_create(&(struct trace_builder_options){ .required_features = 1, .strings = "requires=new" });
	trace_builder_end(builder);
	save(builder, "features");
	return 0;
}
