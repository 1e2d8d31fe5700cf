/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes traces for tests; see trace_builder.h. Frames, columns and live blocks are made here from the specification, with liblz4's block API. */
#include "trace_builder.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define DEFAULT_STRINGS "exe=/bin/app\ncmdline=app --fast\ncwd=/home/user\nwriter=trace_builder 1\n"

struct bytes {
	uint8_t *data;
	size_t used, capacity;
};

struct event {
	enum { EVENT_ENTER, EVENT_EXIT, EVENT_ESCAPE } what;
	uint32_t id;        /* enter: id; exit: context returned to; escape: kind */
	uint64_t ticks;     /* never runs back; escape: payload */
	uint64_t raw_ticks; /* as given */
	bool unfinished;
};

struct open_call {
	uint32_t id;
	uint64_t start_ticks;
};

struct builder_thread {
	struct cprof_thread record;
	struct bytes events;          /* struct event, since the last cut */
	struct bytes stack;           /* struct open_call, now */
	struct bytes stack_at_cut;    /* the same at the last cut */
	uint64_t ticks, ticks_at_cut; /* of the last event */
	uint64_t sequence;
	bool started;
};

struct trace_builder {
	struct trace_builder_options options;
	struct bytes file, live, blocks;
	uint32_t block_bytes;         /* of every block in blocks */
	struct bytes modules, contexts, threads, losses, entries; /* cprof_*; threads: struct builder_thread */
	uint64_t last_ticks, events, chunks;
	struct cprof_clock last_clock;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static void *bytes_add(struct bytes *bytes, const void *data, size_t nr_bytes)
{
	if (!nr_bytes)
		return bytes->data;
	if (bytes->used + nr_bytes > bytes->capacity) {
		bytes->capacity = 2 * (bytes->used + nr_bytes) + 64;
		bytes->data = realloc(bytes->data, bytes->capacity);
		if (!bytes->data)
			die("realloc");
	}
	uint8_t *at = bytes->data + bytes->used;

	if (data)
		memcpy(at, data, nr_bytes);
	else
		memset(at, 0, nr_bytes);
	bytes->used += nr_bytes;
	return at;
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
	to->used = 0;
	bytes_add(to, from->data, from->used);
}

static void add_u32(struct bytes *bytes, uint32_t value)
{
	bytes_add(bytes, &value, sizeof value);
}

static void add_leb128(struct bytes *bytes, uint64_t value)
{
	do {
		uint8_t byte = (value & 0x7F) | (value > 0x7F ? 0x80 : 0);

		bytes_add(bytes, &byte, 1);
		value >>= 7;
	} while (value);
}

#define RECORD(table, type, number) (&((type *)(void *)(table).data)[number])
#define RECORDS(table, type)        ((table).used / sizeof(type))

/* --- container --- */

void trace_builder_raw(struct trace_builder *builder, const void *bytes, size_t nr_bytes)
{
	bytes_add(&builder->file, bytes, nr_bytes);
}

static void add_block(struct bytes *file, const void *data, uint32_t nr_bytes, bool stored)
{
	add_u32(file, nr_bytes | (stored ? 0x80000000u : 0));
	bytes_add(file, data, nr_bytes);
	add_u32(file, XXH32(data, nr_bytes, 0));
}

void trace_builder_chunk(struct trace_builder *builder, const struct cprof_chunk_header *header, const void *payload, size_t bytes)
{
	struct bytes *file = &builder->file;
	struct cprof_index_entry entry = { .offset = file->used, .first_tsc = header->first_tsc, .last_tsc = header->last_tsc,
					   .sequence = header->sequence, .thread = header->thread, .kind = header->kind };
	uint64_t content_bytes = sizeof *header + bytes;
	uint8_t descriptor[10] = { CPROF_LZ4_FLG, CPROF_LZ4_BD };
	XXH32_state_t hash;

	memcpy(descriptor + 2, &content_bytes, 8);
	uint8_t descriptor_hash = (XXH32(descriptor, sizeof descriptor, 0) >> 8) & 0xFF;

	add_u32(file, CPROF_LZ4_FRAME_MAGIC);
	bytes_add(file, descriptor, sizeof descriptor);
	bytes_add(file, &descriptor_hash, 1);
	add_block(file, header, sizeof *header, true);
	if (bytes) {
		char *packed = malloc((size_t)LZ4_compressBound((int)bytes));

		if (!packed)
			die("malloc");
		int packed_bytes = LZ4_compress_default(payload, packed, (int)bytes, LZ4_compressBound((int)bytes));

		if (packed_bytes > 0 && (size_t)packed_bytes < bytes)
			add_block(file, packed, (uint32_t)packed_bytes, false);
		else
			add_block(file, payload, (uint32_t)bytes, true);
		free(packed);
	}
	add_u32(file, 0);
	XXH32_reset(&hash, 0);
	XXH32_update(&hash, header, sizeof *header);
	if (bytes)
		XXH32_update(&hash, payload, bytes);
	add_u32(file, XXH32_digest(&hash));
	entry.frame_bytes = file->used - entry.offset;
	bytes_add(&builder->entries, &entry, sizeof entry);
}

void trace_builder_table(struct trace_builder *builder, uint16_t kind, uint64_t first, uint32_t items, const void *payload, size_t bytes)
{
	struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = kind, .version = CPROF_FORMAT_VERSION, .payload_bytes = bytes,
					     .thread = CPROF_NO_THREAD, .first_tsc = first, .items = items };

	trace_builder_chunk(builder, &header, payload, bytes);
}

/* --- start --- */

static void meta_payload(struct trace_builder *builder, struct bytes *payload)
{
	const struct trace_builder_options *options = &builder->options;
	const char *strings = options->strings ? options->strings : DEFAULT_STRINGS;
	struct cprof_meta meta = { .required_features = options->required_features, .start_realtime_ns = 1700000000000000000ull,
				   .process_start_ticks = 4711, .pid = options->pid ? options->pid : 1234,
				   .parent_pid = options->parent_pid ? options->parent_pid : 1, .generation = options->generation,
				   .clock_source = options->clock_source ? options->clock_source : CPROF_CLOCK_TSC,
				   .mode = options->mode ? options->mode : CPROF_MODE_TRACE, .flags = options->flags };

	memcpy(meta.session, options->session, sizeof meta.session);
	bytes_add(payload, &meta, sizeof meta);
	while (*strings) {
		size_t length = strcspn(strings, "\n");

		bytes_add(payload, strings, length);
		bytes_add(payload, "", 1);
		strings += length + (strings[length] == '\n');
	}
}

static struct cprof_clock clock_at(const struct trace_builder *builder, uint64_t ticks)
{
	double ns = ((double)ticks - (double)builder->options.start_tsc) * (1e9 / builder->options.clock_hz);

	return (struct cprof_clock){ .tsc = ticks, .monotonic_ns = 5000000000ull + (uint64_t)(int64_t)ns,
				     .realtime_ns = 1700000000000000000ull + (uint64_t)(int64_t)ns, .window_ticks = 20 };
}

void trace_builder_clock(struct trace_builder *builder, uint64_t ticks)
{
	builder->last_clock = clock_at(builder, ticks);
	trace_builder_table(builder, CPROF_CHUNK_CLOCK, 0, 1, &builder->last_clock, sizeof builder->last_clock);
}

struct trace_builder *trace_builder_create(const struct trace_builder_options *options)
{
	struct trace_builder *builder = calloc(1, sizeof *builder);
	struct bytes meta = { 0 };

	if (!builder)
		die("calloc");
	if (options)
		builder->options = *options;
	if (!builder->options.start_tsc)
		builder->options.start_tsc = 1000;
	if (builder->options.clock_hz == 0)
		builder->options.clock_hz = 1e9;
	builder->last_ticks = builder->options.start_tsc;
	bytes_add(&builder->contexts, NULL, sizeof(struct cprof_context)); /* so that RECORD() takes ids */
	bytes_add(&builder->modules, NULL, sizeof(struct cprof_module));
	if (!builder->options.no_meta) {
		meta_payload(builder, &meta);
		trace_builder_table(builder, CPROF_CHUNK_META, 0, 1, meta.data, meta.used);
		trace_builder_clock(builder, builder->options.start_tsc);
		free(meta.data);
	}
	return builder;
}

void trace_builder_destroy(struct trace_builder *builder)
{
	if (!builder)
		return;
	for (size_t i = 0; i < RECORDS(builder->threads, struct builder_thread); i++) {
		struct builder_thread *thread = RECORD(builder->threads, struct builder_thread, i);

		free(thread->events.data);
		free(thread->stack.data);
		free(thread->stack_at_cut.data);
	}
	free(builder->file.data);
	free(builder->live.data);
	free(builder->blocks.data);
	free(builder->modules.data);
	free(builder->contexts.data);
	free(builder->threads.data);
	free(builder->losses.data);
	free(builder->entries.data);
	free(builder);
}

/* --- tables --- */

uint32_t trace_builder_module(struct trace_builder *builder, const char *path, uint64_t bias)
{
	uint32_t id = (uint32_t)RECORDS(builder->modules, struct cprof_module);
	struct cprof_module *module = bytes_add(&builder->modules, NULL, sizeof *module);

	module->id = id;
	module->flags = id == 1 ? CPROF_MODULE_MAIN : 0;
	module->bias = bias;
	module->start = bias;
	module->end = bias + 0x100000;
	module->path_bytes = (uint32_t)strnlen(path, CPROF_MODULE_PATH_MAX);
	memcpy(module->path, path, module->path_bytes);
	return id;
}

static uint32_t add_context(struct trace_builder *builder, uint32_t parent, uint32_t target, uint64_t function, uint64_t call_site)
{
	uint32_t module = (uint32_t)RECORDS(builder->modules, struct cprof_module) - 1;
	uint32_t id = (uint32_t)RECORDS(builder->contexts, struct cprof_context);
	struct cprof_context context = { .parent = parent, .target = target ? target : id, .function_module = module,
					 .site_module = parent ? module : 0, .hook_module = module, .function = function,
					 .call_site = call_site, .hook_return = function + 0x10 };

	bytes_add(&builder->contexts, &context, sizeof context);
	return id;
}

uint32_t trace_builder_context(struct trace_builder *builder, uint32_t parent, uint64_t function, uint64_t call_site)
{
	return add_context(builder, parent, 0, function, call_site);
}

uint32_t trace_builder_edge(struct trace_builder *builder, uint32_t parent, uint32_t target, uint64_t call_site)
{
	return add_context(builder, parent, target, RECORD(builder->contexts, struct cprof_context, target)->function, call_site);
}

void trace_builder_loss(struct trace_builder *builder, uint32_t thread, uint32_t reason, uint64_t events)
{
	struct cprof_loss loss = { .thread = thread, .reason = reason, .events = events };

	bytes_add(&builder->losses, &loss, sizeof loss);
}

struct cprof_module *trace_builder_module_record(struct trace_builder *builder, uint32_t id)
{
	return RECORD(builder->modules, struct cprof_module, id);
}

struct cprof_context *trace_builder_context_record(struct trace_builder *builder, uint32_t id)
{
	return RECORD(builder->contexts, struct cprof_context, id);
}

static struct builder_thread *find_thread(struct trace_builder *builder, uint32_t index)
{
	while (RECORDS(builder->threads, struct builder_thread) <= index) {
		uint32_t next = (uint32_t)RECORDS(builder->threads, struct builder_thread);
		struct builder_thread *thread = bytes_add(&builder->threads, NULL, sizeof *thread);

		thread->record.index = next;
		thread->record.tid = 1234 + next;
		thread->record.flags = next == 0 ? CPROF_THREAD_MAIN : 0;
		thread->record.parent = next == 0 ? CPROF_NO_THREAD : 0;
		snprintf(thread->record.name, sizeof thread->record.name, next ? "worker-%u" : "app", next & 0xFFFFu);
	}
	return RECORD(builder->threads, struct builder_thread, index);
}

struct cprof_thread *trace_builder_thread_record(struct trace_builder *builder, uint32_t thread)
{
	return &find_thread(builder, thread)->record;
}

/* --- events --- */

static uint32_t target_of(const struct trace_builder *builder, uint32_t id)
{
	return id < RECORDS(builder->contexts, struct cprof_context) ? RECORD(builder->contexts, struct cprof_context, id)->target : id;
}

static uint32_t current_context(const struct trace_builder *builder, const struct bytes *stack)
{
	size_t depth = RECORDS(*stack, struct open_call);

	return depth ? target_of(builder, RECORD(*stack, struct open_call, depth - 1)->id) : 0;
}

static void stack_pop(struct bytes *stack, uint64_t calls)
{
	size_t depth = RECORDS(*stack, struct open_call);

	stack->used = (depth - (size_t)(calls < depth ? calls : depth)) * sizeof(struct open_call);
}

static void stack_apply(struct bytes *stack, const struct event *event)
{
	struct open_call call = { event->id, event->ticks };

	if (event->what == EVENT_ENTER)
		bytes_add(stack, &call, sizeof call);
	else if (event->what == EVENT_EXIT)
		stack_pop(stack, 1);
	else if (event->id == CPROF_ESCAPE_REPAIR)
		stack_pop(stack, event->ticks);
	else if (event->id == CPROF_ESCAPE_LOST)
		stack_pop(stack, UINT64_MAX);
}

static bool is_timed(const struct event *event)
{
	return event->what != EVENT_ESCAPE || event->id == CPROF_ESCAPE_SUSPEND || event->id == CPROF_ESCAPE_RESUME;
}

static struct event *add_event(struct trace_builder *builder, uint32_t thread_index, struct event event)
{
	struct builder_thread *thread = find_thread(builder, thread_index);

	event.raw_ticks = event.ticks;
	if (is_timed(&event)) {
		event.ticks = thread->ticks > event.ticks ? thread->ticks : event.ticks;
		if (!thread->started) {
			thread->started = true;
			thread->record.start_tsc = event.ticks;
			thread->ticks_at_cut = event.ticks;
		}
		thread->ticks = event.ticks;
		builder->last_ticks = event.ticks > builder->last_ticks ? event.ticks : builder->last_ticks;
	}
	stack_apply(&thread->stack, &event);
	return bytes_add(&thread->events, &event, sizeof event);
}

void trace_builder_enter(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t id)
{
	add_event(builder, thread, (struct event){ EVENT_ENTER, id, ticks, 0, false });
}

void trace_builder_exit(struct trace_builder *builder, uint32_t thread, uint64_t ticks)
{
	struct event *event = add_event(builder, thread, (struct event){ EVENT_EXIT, 0, ticks, 0, false });

	event->id = current_context(builder, &find_thread(builder, thread)->stack);
}

void trace_builder_exit_to(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t context)
{
	add_event(builder, thread, (struct event){ EVENT_EXIT, context, ticks, 0, false });
}

void trace_builder_escape(struct trace_builder *builder, uint32_t thread, uint32_t kind, uint64_t payload)
{
	add_event(builder, thread, (struct event){ EVENT_ESCAPE, kind, payload, 0, false });
}

void trace_builder_switch(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t kind)
{
	trace_builder_escape(builder, thread, kind, ticks);
}

void trace_builder_unfinished(struct trace_builder *builder, uint32_t thread)
{
	struct bytes *events = &find_thread(builder, thread)->events;

	if (events->used)
		RECORD(*events, struct event, RECORDS(*events, struct event) - 1)->unfinished = true;
}

/* Columns of section 5 from the events since the last cut. */
static void add_events_chunk(struct trace_builder *builder, struct builder_thread *thread)
{
	size_t nr_events = RECORDS(thread->events, struct event), lowest = RECORDS(thread->stack_at_cut, struct open_call);
	struct bytes stack = { 0 }, closed = { 0 }, ids = { 0 }, times = { 0 }, payload = { 0 };
	struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_EVENTS, .version = CPROF_FORMAT_VERSION,
					     .thread = thread->record.index, .sequence = thread->sequence, .first_tsc = thread->ticks_at_cut,
					     .last_tsc = thread->ticks, .depth = (uint32_t)lowest,
					     .context = current_context(builder, &thread->stack_at_cut), .items = (uint32_t)nr_events };
	struct cprof_events_header columns = { 0 };
	uint64_t ticks = header.first_tsc;

	bytes_copy(&stack, &thread->stack_at_cut);
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *event = RECORD(thread->events, struct event, i);

		stack_apply(&stack, event);
		if (RECORDS(stack, struct open_call) < lowest)
			lowest = RECORDS(stack, struct open_call);
		if (event->what == EVENT_ESCAPE) {
			add_leb128(&ids, CPROF_ID_ESCAPE);
			add_leb128(&ids, event->id);
			add_leb128(&ids, is_timed(event) ? event->ticks - ticks : event->ticks);
			ticks = is_timed(event) ? event->ticks : ticks;
			continue;
		}
		add_leb128(&times, event->ticks - ticks);
		ticks = event->ticks;
		builder->events++;
		if (event->what == EVENT_ENTER) {
			add_leb128(&ids, event->id + (uint64_t)CPROF_ID_ENTER_BASE);
		} else if (event->id == current_context(builder, &stack)) {
			add_leb128(&ids, CPROF_ID_EXIT);
		} else {
			add_leb128(&ids, CPROF_ID_EXIT_EXPLICIT);
			add_leb128(&ids, event->id);
		}
	}
	for (size_t i = header.depth; i-- > lowest;) {
		const struct open_call *call = RECORD(thread->stack_at_cut, struct open_call, i);

		columns.closed_items++;
		add_leb128(&closed, call->id);
		add_leb128(&closed, header.first_tsc - call->start_ticks);
	}
	columns.closed_bytes = (uint32_t)closed.used;
	columns.ids_bytes = (uint32_t)ids.used;
	columns.times_bytes = (uint32_t)times.used;
	bytes_add(&payload, &columns, sizeof columns);
	bytes_add(&payload, closed.data, closed.used);
	bytes_add(&payload, ids.data, ids.used);
	bytes_add(&payload, times.data, times.used);
	header.payload_bytes = payload.used;
	trace_builder_chunk(builder, &header, payload.data, payload.used);
	builder->chunks++;
	free(stack.data);
	free(closed.data);
	free(ids.data);
	free(times.data);
	free(payload.data);
}

static uint64_t event_word(const struct event *event)
{
	uint32_t id = event->what == EVENT_ESCAPE ? CPROF_ESCAPE_FIRST + event->id : event->what == EVENT_EXIT ? CPROF_EVENT_EXIT | event->id : event->id;

	return event->raw_ticks << 32 | id;
}

/* A block of section 6. All blocks of the builder have the size of the largest: one extent holds them. */
static void add_block_live(struct trace_builder *builder, struct builder_thread *thread, uint32_t state)
{
	size_t nr_events = RECORDS(thread->events, struct event);
	struct cprof_block_header header = { .state = state, .thread = thread->record.index, .tsc_high = (uint32_t)(thread->ticks_at_cut >> 32),
					     .sequence = thread->sequence, .depth = (uint32_t)RECORDS(thread->stack_at_cut, struct open_call),
					     .context = current_context(builder, &thread->stack_at_cut) };
	struct bytes block = { 0 }, all = { 0 };
	uint64_t high = header.tsc_high;

	bytes_add(&block, &header, sizeof header);
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *event = RECORD(thread->events, struct event, i);
		uint64_t word = event->unfinished ? 0 : event_word(event);

		if (is_timed(event) && event->raw_ticks >> 32 != high) {
			struct event clock = { EVENT_ESCAPE, CPROF_ESCAPE_CLOCK, 0, event->raw_ticks >> 32, false };
			uint64_t clock_word = event_word(&clock);

			high = event->raw_ticks >> 32;
			bytes_add(&block, &clock_word, sizeof clock_word);
		}
		bytes_add(&block, &word, sizeof word);
	}
	uint32_t needed = (uint32_t)block.used + 64; /* some unused slots, as in life */
	uint32_t bytes = builder->block_bytes > needed ? builder->block_bytes : needed;

	for (size_t at = 0; at < builder->blocks.used; at += builder->block_bytes) {
		bytes_add(&all, builder->blocks.data + at, builder->block_bytes);
		bytes_add(&all, NULL, bytes - builder->block_bytes);
	}
	bytes_add(&block, NULL, bytes - block.used);
	bytes_add(&all, block.data, block.used);
	free(block.data);
	free(builder->blocks.data);
	builder->blocks = all;
	builder->block_bytes = bytes;
	for (size_t at = 0; at < all.used; at += bytes)
		((struct cprof_block_header *)(void *)(all.data + at))->capacity = (uint32_t)((bytes - sizeof header) / 8);
}

static void finish_cut(struct builder_thread *thread)
{
	thread->sequence++;
	thread->events.used = 0;
	bytes_copy(&thread->stack_at_cut, &thread->stack);
	thread->ticks_at_cut = thread->ticks;
}

void trace_builder_cut(struct trace_builder *builder, uint32_t thread_index)
{
	struct builder_thread *thread = find_thread(builder, thread_index);

	if (!thread->events.used)
		return;
	add_events_chunk(builder, thread);
	thread->record.blocks = thread->sequence + 1;
	finish_cut(thread);
}

void trace_builder_cut_live(struct trace_builder *builder, uint32_t thread_index, uint32_t state)
{
	struct builder_thread *thread = find_thread(builder, thread_index);

	add_block_live(builder, thread, state);
	finish_cut(thread);
}

void trace_builder_cut_both(struct trace_builder *builder, uint32_t thread_index)
{
	struct builder_thread *thread = find_thread(builder, thread_index);

	add_block_live(builder, thread, CPROF_BLOCK_DRAINING);
	add_events_chunk(builder, thread);
	thread->record.blocks = thread->sequence + 1;
	finish_cut(thread);
}

void trace_builder_cut_lost(struct trace_builder *builder, uint32_t thread_index)
{
	struct builder_thread *thread = find_thread(builder, thread_index);

	thread->record.blocks = thread->sequence + 1;
	finish_cut(thread);
}

/* --- end --- */

static void cut_all(struct trace_builder *builder)
{
	for (uint32_t i = 0; i < RECORDS(builder->threads, struct builder_thread); i++)
		trace_builder_cut(builder, i);
}

static void add_table(struct trace_builder *builder, uint16_t kind, uint64_t first, const struct bytes *table, size_t record_bytes, size_t skip)
{
	size_t items = table->used / record_bytes - skip;

	if (items)
		trace_builder_table(builder, kind, first, (uint32_t)items, table->data + skip * record_bytes, items * record_bytes);
}

static struct bytes thread_records(const struct trace_builder *builder)
{
	struct bytes records = { 0 };

	for (size_t i = 0; i < RECORDS(builder->threads, struct builder_thread); i++)
		bytes_add(&records, &RECORD(builder->threads, struct builder_thread, i)->record, sizeof(struct cprof_thread));
	return records;
}

void trace_builder_end_tables(struct trace_builder *builder)
{
	cut_all(builder);
	for (size_t i = 0; i < RECORDS(builder->threads, struct builder_thread); i++) {
		struct builder_thread *thread = RECORD(builder->threads, struct builder_thread, i);

		if (!thread->record.end_tsc)
			thread->record.end_tsc = thread->ticks;
	}
	struct bytes threads = thread_records(builder);

	add_table(builder, CPROF_CHUNK_MODULES, 0, &builder->modules, sizeof(struct cprof_module), 1);
	add_table(builder, CPROF_CHUNK_CONTEXTS, 1, &builder->contexts, sizeof(struct cprof_context), 1);
	add_table(builder, CPROF_CHUNK_THREADS, 0, &threads, sizeof(struct cprof_thread), 0);
	add_table(builder, CPROF_CHUNK_LOSS, 0, &builder->losses, sizeof(struct cprof_loss), 0);
	trace_builder_clock(builder, builder->last_ticks + 1000);
	free(threads.data);
}

void trace_builder_end_chunk(struct trace_builder *builder)
{
	struct cprof_end end = { .end_tsc = builder->last_ticks, .events = builder->events, .chunks = builder->chunks,
				 .contexts = RECORDS(builder->contexts, struct cprof_context),
				 .threads = (uint32_t)RECORDS(builder->threads, struct builder_thread), .reason = CPROF_END_EXIT };

	trace_builder_table(builder, CPROF_CHUNK_END, 0, 1, &end, sizeof end);
}

void trace_builder_end_index(struct trace_builder *builder)
{
	struct cprof_index_head head = { .tag = CPROF_INDEX_TAG, .version = 1, .count = trace_builder_nr_chunks(builder) };
	struct cprof_index_tail tail = { .tag = CPROF_INDEX_TAG };
	struct bytes payload = { 0 };

	bytes_add(&payload, &head, sizeof head);
	bytes_add(&payload, builder->entries.data, builder->entries.used);
	tail.xxh32 = XXH32(payload.data, payload.used, 0);
	tail.payload_bytes = (uint32_t)(payload.used + sizeof tail);
	bytes_add(&payload, &tail, sizeof tail);
	add_u32(&builder->file, CPROF_INDEX_MAGIC);
	add_u32(&builder->file, (uint32_t)payload.used);
	bytes_add(&builder->file, payload.data, payload.used);
	free(payload.data);
}

void trace_builder_end(struct trace_builder *builder)
{
	trace_builder_end_tables(builder);
	trace_builder_end_chunk(builder);
	trace_builder_end_index(builder);
}

static void add_extent(struct cprof_live_header *header, struct bytes *tail, uint32_t kind, size_t item_bytes, uint64_t first, const void *data,
		       size_t bytes)
{
	static const uint8_t zeros[4096];
	struct cprof_extent *extent = header->extents;

	while (extent->kind)
		extent++;
	*extent = (struct cprof_extent){ kind, (uint32_t)item_bytes, first, CPROF_LIVE_HEADER_BYTES + tail->used, bytes };
	bytes_add(tail, data, bytes);
	bytes_add(tail, zeros, -bytes % 4096u);
}

void trace_builder_end_live(struct trace_builder *builder)
{
	struct cprof_live_header *header = calloc(1, CPROF_LIVE_HEADER_BYTES);
	struct bytes meta = { 0 }, tail = { 0 };

	if (!header)
		die("calloc");
	for (uint32_t i = 0; i < RECORDS(builder->threads, struct builder_thread); i++) {
		if (find_thread(builder, i)->events.used)
			trace_builder_cut_live(builder, i, CPROF_BLOCK_OWNED);
	}
	struct bytes threads = thread_records(builder);

	meta_payload(builder, &meta);
	header->magic = CPROF_LIVE_MAGIC;
	header->version = CPROF_FORMAT_VERSION;
	header->header_bytes = CPROF_LIVE_HEADER_BYTES;
	header->contexts = (uint32_t)RECORDS(builder->contexts, struct cprof_context); /* record 0 included */
	header->modules = (uint32_t)RECORDS(builder->modules, struct cprof_module) - 1;
	header->threads = (uint32_t)RECORDS(builder->threads, struct builder_thread);
	header->meta_bytes = (uint32_t)meta.used;
	memcpy(header->meta, meta.data, meta.used < sizeof header->meta ? meta.used : sizeof header->meta);
	header->trace_bytes = builder->file.used;
	header->first_clock = clock_at(builder, builder->options.start_tsc);
	header->last_clock = clock_at(builder, builder->last_ticks + 1000);
	size_t half = RECORDS(builder->contexts, struct cprof_context) / 2; /* two extents, as in life */

	add_extent(header, &tail, CPROF_EXTENT_CONTEXTS, sizeof(struct cprof_context), 0, builder->contexts.data, half * sizeof(struct cprof_context));
	add_extent(header, &tail, CPROF_EXTENT_CONTEXTS, sizeof(struct cprof_context), half,
		   builder->contexts.data + half * sizeof(struct cprof_context), builder->contexts.used - half * sizeof(struct cprof_context));
	add_extent(header, &tail, CPROF_EXTENT_MODULES, sizeof(struct cprof_module), 0, builder->modules.data + sizeof(struct cprof_module),
		   builder->modules.used - sizeof(struct cprof_module));
	add_extent(header, &tail, CPROF_EXTENT_THREADS, sizeof(struct cprof_thread), 0, threads.data, threads.used);
	if (builder->blocks.used)
		add_extent(header, &tail, CPROF_EXTENT_BLOCKS, builder->block_bytes, 0, builder->blocks.data, builder->blocks.used);
	bytes_add(&builder->live, header, CPROF_LIVE_HEADER_BYTES);
	bytes_add(&builder->live, tail.data, tail.used);
	free(header);
	free(meta.data);
	free(tail.data);
	free(threads.data);
}

/* --- files --- */

uint8_t *trace_builder_bytes(struct trace_builder *builder, size_t *ret_bytes)
{
	*ret_bytes = builder->file.used;
	return builder->file.data;
}

uint8_t *trace_builder_live_bytes(struct trace_builder *builder, size_t *ret_bytes)
{
	*ret_bytes = builder->live.used;
	return builder->live.data;
}

size_t trace_builder_nr_chunks(const struct trace_builder *builder)
{
	return RECORDS(builder->entries, struct cprof_index_entry);
}

const struct cprof_index_entry *trace_builder_entry(const struct trace_builder *builder, size_t chunk)
{
	return RECORD(builder->entries, struct cprof_index_entry, chunk);
}

void trace_builder_write_file(const char *path, const void *bytes, size_t nr_bytes)
{
	FILE *file = fopen(path, "wb");

	if (!file || (nr_bytes && fwrite(bytes, 1, nr_bytes, file) != nr_bytes) || fclose(file))
		die(path);
}

void trace_builder_write(struct trace_builder *builder, const char *path)
{
	char live_path[4096];

	trace_builder_write_file(path, builder->file.data, builder->file.used);
	snprintf(live_path, sizeof live_path, "%s.live", path);
	if (builder->live.used)
		trace_builder_write_file(live_path, builder->live.data, builder->live.used);
	else
		unlink(live_path);
}
