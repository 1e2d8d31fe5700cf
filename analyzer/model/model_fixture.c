/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRACES = 4, THREADS = 4, CHUNKS = 32, CONTEXTS = 64, COLUMN_BYTES = 4096, DEPTH = 128, NAMES = 64, CHAINS = 64, FRAMES = 4 };

struct fixture_chunk {
	struct cprof_chunk_header header;
	uint8_t closed[COLUMN_BYTES], ids[COLUMN_BYTES], times[COLUMN_BYTES];
	size_t closed_bytes, ids_bytes, times_bytes;
	uint32_t closed_items;
	bool lost;
};

struct fixture_thread {
	struct fixture_chunk chunks[CHUNKS];
	size_t nr_chunks;
	struct { uint32_t id; uint64_t start; } stack[DEPTH];
	uint32_t depth, low; /* low: fewest open calls since the chunk began */
	uint32_t current;
	uint64_t now;
};

struct trace {
	struct fixture_thread threads[THREADS];
	struct cprof_thread records[THREADS];
	struct cprof_context contexts[CONTEXTS];
	struct cprof_module module;
	struct trace_tables tables;
	struct trace_state state;
	struct trace_meta meta;
};

struct session {
	struct trace traces[TRACES];
	size_t nr_traces;
};

struct symbolizer {
	struct { uint64_t address; const char *name; } names[NAMES];
	size_t nr_names;
	struct { uint64_t address; struct symbol_frame frames[FRAMES]; size_t count; } chains[CHAINS];
	size_t nr_chains;
	char text[1 << 16];
	size_t text_bytes;
	uint32_t nr_modules;
};

struct trace_cursor {
	struct fixture_thread *thread;
	size_t next;
	bool hole;
};

static struct session session;
static struct symbolizer symbolizer;

static struct trace *trace_now(void)
{
	return &session.traces[session.nr_traces - 1];
}

void fixture_add_trace(void)
{
	assert_true(session.nr_traces < TRACES);
	session.nr_traces++;
	struct trace *trace = trace_now();
	trace->module = (struct cprof_module){ .id = 7, .path_bytes = 8, .path = "/bin/app" };
	trace->tables = (struct trace_tables){ .modules = &trace->module, .nr_modules = 1, .contexts = trace->contexts, .nr_contexts = 1,
					       .threads = trace->records };
	trace->meta = (struct trace_meta){ .exe = "/bin/app", .command_line = "", .working_directory = "", .writer = "" };
	trace->meta.fixed.pid = 100 + (uint32_t)session.nr_traces;
	trace->state = (struct trace_state){ .clean = true };
}

void fixture_reset(void)
{
	memset(&session, 0, sizeof session);
	memset(&symbolizer, 0, sizeof symbolizer);
	fixture_add_trace();
}

struct cprof_context *fixture_record(uint32_t id)
{
	return &trace_now()->contexts[id];
}

uint32_t fixture_context(uint32_t parent, uint64_t address, uint64_t call_site)
{
	struct trace *trace = trace_now();
	uint32_t id = (uint32_t)trace->tables.nr_contexts++;

	assert_true(id < CONTEXTS);
	trace->contexts[id] = (struct cprof_context){ .parent = parent, .target = id, .function_module = 7, .site_module = 7, .hook_module = 7,
						      .function = address, .call_site = call_site, .hook_return = address + 9 };
	return id;
}

uint32_t fixture_edge(uint32_t parent, uint32_t target, uint64_t call_site)
{
	uint32_t id = fixture_context(parent, trace_now()->contexts[target].function, call_site);

	trace_now()->contexts[id].target = target;
	return id;
}

void fixture_function(uint64_t address, const char *name)
{
	assert_true(symbolizer.nr_names < NAMES);
	symbolizer.names[symbolizer.nr_names].address = address;
	symbolizer.names[symbolizer.nr_names++].name = name;
}

static const char *text_part(const char *text, size_t bytes)
{
	char *copy = symbolizer.text + symbolizer.text_bytes;

	assert_true(symbolizer.text_bytes + bytes < sizeof symbolizer.text);
	memcpy(copy, text, bytes);
	symbolizer.text_bytes += bytes + 1;
	return copy;
}

void fixture_chain(uint64_t return_address, ...)
{
	va_list arguments;
	const char *text;
	size_t count = 0;

	assert_true(symbolizer.nr_chains < CHAINS);
	va_start(arguments, return_address);
	while ((text = va_arg(arguments, const char *))) {
		struct symbol_frame *frame = &symbolizer.chains[symbolizer.nr_chains].frames[count++];
		const char *space = strchr(text, ' '), *colon = strchr(text, ':');

		assert_true(count <= FRAMES);
		frame->function = text_part(text, (size_t)(space - text));
		frame->file = text_part(space + 1, (size_t)(colon - space) - 1);
		assert_int_equal(sscanf(colon, ":%u:%u", &frame->line, &frame->column), 2);
	}
	va_end(arguments);
	symbolizer.chains[symbolizer.nr_chains].address = return_address - 1;
	symbolizer.chains[symbolizer.nr_chains++].count = count;
}

/* Events. */

static void leb_put(uint8_t *column, size_t *bytes, uint64_t number)
{
	do {
		assert_true(*bytes < COLUMN_BYTES);
		column[(*bytes)++] = (uint8_t)(number & 0x7f) | (number > 0x7f ? 0x80 : 0);
		number >>= 7;
	} while (number);
}

static struct fixture_chunk *chunk_begin(struct fixture_thread *thread, uint64_t now)
{
	assert_true(thread->nr_chunks < CHUNKS);
	struct fixture_chunk *chunk = &thread->chunks[thread->nr_chunks];
	chunk->header = (struct cprof_chunk_header){ .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_EVENTS, .version = CPROF_FORMAT_VERSION,
						     .sequence = thread->nr_chunks, .first_tsc = now, .last_tsc = now,
						     .depth = thread->depth, .context = thread->current };
	thread->nr_chunks++;
	thread->low = thread->depth;
	return chunk;
}

static void call_push(struct fixture_thread *thread, uint32_t id)
{
	assert_true(thread->depth < DEPTH);
	thread->stack[thread->depth].id = id;
	thread->stack[thread->depth++].start = thread->now;
	thread->current = id < trace_now()->tables.nr_contexts ? trace_now()->contexts[id].target : 0;
}

static void call_pop(struct fixture_thread *thread, struct fixture_chunk *chunk)
{
	if (!thread->depth)
		return;
	uint32_t id = thread->stack[--thread->depth].id;
	if (thread->depth < thread->low) {
		thread->low = thread->depth;
		leb_put(chunk->closed, &chunk->closed_bytes, id);
		leb_put(chunk->closed, &chunk->closed_bytes, chunk->header.first_tsc - thread->stack[thread->depth].start);
		chunk->closed_items++;
	}
	thread->current = trace_now()->contexts[id].parent;
}

static void escape_put(struct fixture_thread *thread, struct fixture_chunk *chunk, char kind, uint64_t payload)
{
	uint32_t number = kind == 'R' ? CPROF_ESCAPE_REPAIR : kind == 'L' ? CPROF_ESCAPE_LOST : kind == 'I' ? CPROF_ESCAPE_INHERIT :
			  CPROF_ESCAPE_UNMATCHED;

	chunk->header.items++;
	leb_put(chunk->ids, &chunk->ids_bytes, CPROF_ID_ESCAPE);
	leb_put(chunk->ids, &chunk->ids_bytes, number);
	leb_put(chunk->ids, &chunk->ids_bytes, payload);
	for (uint64_t i = 0; number == CPROF_ESCAPE_REPAIR && i < payload; i++)
		call_pop(thread, chunk);
	if (number == CPROF_ESCAPE_LOST)
		thread->depth = thread->low = thread->current = 0;
}

static void event_put(struct fixture_thread *thread, struct fixture_chunk *chunk, const char *token)
{
	const char *at = strchr(token, '@');
	uint64_t time = strtoull(at + 1, NULL, 10);

	chunk->header.items++;
	if (token[0] == 's' || token[0] == 'r') {
		leb_put(chunk->ids, &chunk->ids_bytes, CPROF_ID_ESCAPE);
		leb_put(chunk->ids, &chunk->ids_bytes, token[0] == 's' ? CPROF_ESCAPE_SUSPEND : CPROF_ESCAPE_RESUME);
		leb_put(chunk->ids, &chunk->ids_bytes, time - thread->now);
		thread->now = chunk->header.last_tsc = time;
		return;
	}
	leb_put(chunk->times, &chunk->times_bytes, time - thread->now);
	thread->now = chunk->header.last_tsc = time;
	if (token[0] == 'e') {
		uint32_t id = (uint32_t)strtoul(token + 1, NULL, 10);

		leb_put(chunk->ids, &chunk->ids_bytes, (uint64_t)id + CPROF_ID_ENTER_BASE);
		call_push(thread, id);
		return;
	}
	call_pop(thread, chunk);
	leb_put(chunk->ids, &chunk->ids_bytes, token[1] == '>' ? CPROF_ID_EXIT_EXPLICIT : CPROF_ID_EXIT);
	if (token[1] == '>')
		leb_put(chunk->ids, &chunk->ids_bytes, strtoull(token + 2, NULL, 10));
}

static struct fixture_thread *thread_use(uint32_t index)
{
	struct trace *trace = trace_now();

	assert_true(index < THREADS);
	while (trace->tables.nr_threads <= index) {
		trace->records[trace->tables.nr_threads] =
			(struct cprof_thread){ .index = (uint32_t)trace->tables.nr_threads, .tid = 1000 + (uint32_t)trace->tables.nr_threads };
		snprintf(trace->records[trace->tables.nr_threads].name, 16, "worker%u", (unsigned int)trace->tables.nr_threads);
		trace->tables.nr_threads++;
	}
	return &trace->threads[index];
}

void fixture_events(uint32_t index, const char *script)
{
	struct fixture_thread *thread = thread_use(index);
	struct fixture_chunk *chunk = NULL;
	char *copy = strdup(script), *rest = copy, *token;

	while ((token = strsep(&rest, " "))) {
		if (!*token)
			continue;
		if (*token == '|') {
			chunk->lost = token[1] == '!';
			chunk = NULL;
			continue;
		}
		if (!chunk) {
			const char *at = strchr(rest && !strchr(token, '@') ? rest : token, '@');

			if (!thread->nr_chunks && at)
				thread->now = strtoull(at + 1, NULL, 10);
			chunk = chunk_begin(thread, thread->now);
		}
		if (strchr(token, '@'))
			event_put(thread, chunk, token);
		else
			escape_put(thread, chunk, *token, strtoull(token + 1, NULL, 10));
	}
	free(copy);
	trace_now()->records[index].blocks = thread->nr_chunks;
	if (thread->now > trace_now()->state.end_tsc)
		trace_now()->state.end_tsc = thread->now;
}

void fixture_raw_chunk(uint32_t index, const void *ids, size_t ids_bytes, const void *times, size_t times_bytes)
{
	struct fixture_thread *thread = thread_use(index);
	struct fixture_chunk *chunk = chunk_begin(thread, thread->now);

	assert_true(ids_bytes <= COLUMN_BYTES && times_bytes <= COLUMN_BYTES);
	memcpy(chunk->ids, ids, ids_bytes);
	memcpy(chunk->times, times, times_bytes);
	chunk->ids_bytes = ids_bytes;
	chunk->times_bytes = times_bytes;
	chunk->header.items = UINT32_MAX;
	trace_now()->records[index].blocks = thread->nr_chunks;
}

void fixture_end(uint64_t end_tsc, bool clean)
{
	trace_now()->state.end_tsc = end_tsc;
	trace_now()->state.clean = clean;
}

struct session *fixture_session(void)
{
	return &session;
}

struct symbolizer *fixture_symbolizer(void)
{
	return &symbolizer;
}

/* session.h */

size_t session_nr_traces(const struct session *of)
{
	return of->nr_traces;
}

struct trace *session_trace(const struct session *of, size_t index)
{
	return (struct trace *)&of->traces[index];
}

size_t session_nr_kernels(const struct session *of)
{
	(void)of;
	return 0;
}

struct kernel_file *session_kernel(const struct session *of, size_t index)
{
	(void)of, (void)index;
	return NULL;
}

bool session_trace_went_on(const struct session *of, size_t index)
{
	(void)of, (void)index;
	return false;
}

size_t session_nr_processes(const struct session *of)
{
	return of->nr_traces;
}

struct trace_kernel session_trace_kernel(const struct session *of, size_t index)
{
	(void)of, (void)index;
	return (struct trace_kernel){ .file = NULL };
}

const struct trace_meta *trace_meta(const struct trace *trace)
{
	return &trace->meta;
}

const struct trace_tables *trace_tables(const struct trace *trace)
{
	return &trace->tables;
}

const struct trace_state *trace_state(const struct trace *trace)
{
	return &trace->state;
}

const char *trace_path(const struct trace *trace)
{
	(void)trace;
	return "trace.lz4";
}

double trace_clock_hz(const struct trace *trace)
{
	(void)trace;
	return 2e9;
}

struct cprof_error *trace_cursor_create(struct trace *trace, uint32_t thread, struct trace_cursor **ret)
{
	*ret = calloc(1, sizeof **ret);
	(*ret)->thread = &trace->threads[thread];
	return NULL;
}

void trace_cursor_destroy(struct trace_cursor *cursor)
{
	free(cursor);
}

struct cprof_error *trace_cursor_next(struct trace_cursor *cursor, struct events_chunk *ret, bool *end)
{
	bool hole = false;

	while (cursor->next < cursor->thread->nr_chunks && cursor->thread->chunks[cursor->next].lost) {
		hole = true;
		cursor->next++;
	}
	*end = cursor->next == cursor->thread->nr_chunks;
	if (*end)
		return NULL;
	const struct fixture_chunk *chunk = &cursor->thread->chunks[cursor->next++];
	*ret = (struct events_chunk){ .header = chunk->header, .closed = chunk->closed, .ids = chunk->ids, .times = chunk->times,
				      .closed_bytes = chunk->closed_bytes, .ids_bytes = chunk->ids_bytes, .times_bytes = chunk->times_bytes,
				      .closed_items = chunk->closed_items, .hole_before = hole };
	return NULL;
}

/* symbolizer.h */

struct cprof_error *symbolizer_add_module(struct symbolizer *of, uint32_t id, const char *path, const uint8_t *build_id, size_t build_id_bytes)
{
	(void)build_id;
	(void)build_id_bytes;
	assert_string_equal(path, "/bin/app");
	assert_int_equal(id, ++of->nr_modules);
	return NULL;
}

struct cprof_error *symbolizer_variable(struct symbolizer *of, uint32_t module, uint64_t address, struct symbol_variable *ret)
{
	(void)of;
	(void)module;
	(void)address;
	*ret = (struct symbol_variable){ NULL, 0, 0 };
	return NULL;
}

struct cprof_error *symbolizer_function(struct symbolizer *of, uint32_t module, uint64_t address, struct symbol_function *ret)
{
	assert_int_equal(module, 1);
	*ret = (struct symbol_function){ .name = "app+?" };
	for (size_t i = 0; i < of->nr_names; i++)
		if (of->names[i].address == address)
			*ret = (struct symbol_function){ .name = of->names[i].name, .linkage = of->names[i].name, .known = true };
	return NULL;
}

struct cprof_error *symbolizer_chain(struct symbolizer *of, uint32_t module, uint64_t address, const struct symbol_frame **frames, size_t *count)
{
	assert_int_equal(module, 1);
	*count = 0;
	for (size_t i = 0; i < of->nr_chains; i++) {
		if (of->chains[i].address == address) {
			*frames = of->chains[i].frames;
			*count = of->chains[i].count;
		}
	}
	return NULL;
}

/* Results. */

void fixture_check_functions(const struct profile *profile, struct profile_options options)
{
	const struct call_numbers *root = &profile->root->numbers;
	struct profile *other = NULL;

	if (options.unroll)
		return;
	options.functions_only = true;
	options.by_thread = false;
	assert_null(profile_create(&session, &symbolizer, &options, &other));
	for (const struct call_node *node = other->root->first_child; node; node = node->next_sibling)
		assert_int_equal(node->kind, NODE_PROCESS); /* it did leave them out */
	assert_int_equal(other->root->numbers.total_ticks, root->total_ticks);
	assert_int_equal(other->root->numbers.span_ticks, root->span_ticks);
	assert_int_equal(other->root->numbers.suspended_total_ticks, root->suspended_total_ticks);
	assert_int_equal(other->info.calls, profile->info.calls);
	assert_int_equal(other->info.open_calls, profile->info.open_calls);
	assert_int_equal(other->info.repaired_calls, profile->info.repaired_calls);
	assert_int_equal(other->info.contexts, profile->info.contexts);
	assert_int_equal(other->info.edges, profile->info.edges);
	assert_int_equal(other->nr_functions, profile->nr_functions);
	for (size_t i = 0; i < profile->nr_functions; i++) {
		assert_string_equal(other->functions[i].name, profile->functions[i].name);
		assert_int_equal(other->functions[i].address, profile->functions[i].address);
		assert_memory_equal(&other->functions[i].numbers, &profile->functions[i].numbers, sizeof other->functions[i].numbers);
	}
	profile_destroy(other);
}

struct profile *fixture_profile(bool unroll, bool by_thread)
{
	struct profile_options options = { .unroll = unroll, .by_thread = by_thread };
	struct profile *profile = NULL;
	struct cprof_error *error = profile_create(&session, &symbolizer, &options, &profile);

	if (error)
		fail_msg("profile_create: %s", error->message);
	fixture_check(profile);
	fixture_check_functions(profile, options);
	return profile;
}

const struct call_node *fixture_node(const struct profile *profile, const char *path)
{
	const struct call_node *node = profile->root;
	char *copy = strdup(path), *rest = copy, *name;

	while (node && (name = strsep(&rest, "/"))) {
		char *colon = strchr(name, ':');
		uint32_t line = colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0;

		if (colon)
			*colon = '\0';
		for (node = node->first_child; node; node = node->next_sibling)
			if (!strcmp(node->name, name) && (!line || line == node->site_line))
				break;
	}
	free(copy);
	return node;
}

static uint32_t function_index(const struct profile *profile, const char *name)
{
	for (uint32_t i = 0; i < profile->nr_functions; i++)
		if (!strcmp(profile->functions[i].name, name))
			return i;
	return UINT32_MAX;
}

const struct call_function *fixture_flat(const struct profile *profile, const char *name)
{
	uint32_t index = function_index(profile, name);

	assert_true(index != UINT32_MAX);
	return &profile->functions[index];
}

uint64_t fixture_pair(const struct profile *profile, const char *caller, const char *callee)
{
	uint32_t caller_index = *caller ? function_index(profile, caller) : UINT32_MAX, callee_index = function_index(profile, callee);

	for (size_t i = 0; i < profile->nr_pairs; i++)
		if (profile->pairs[i].caller == caller_index && profile->pairs[i].callee == callee_index)
			return profile->pairs[i].calls;
	return 0;
}

/* Depth first without recursion; NULL after the last one. */
static const struct call_node *node_after(const struct call_node *node)
{
	if (node->first_child)
		return node->first_child;
	while (node && !node->next_sibling)
		node = node->parent;
	return node ? node->next_sibling : NULL;
}

static void node_check(const struct call_node *node)
{
	uint64_t total = node->numbers.self_ticks;

	for (const struct call_node *child = node->first_child; child; child = child->next_sibling) {
		total += child->numbers.total_ticks;
		assert_ptr_equal(child->parent, node);
		if (child->next_sibling)
			assert_true(child->numbers.total_ticks >= child->next_sibling->numbers.total_ticks);
	}
	assert_int_equal(total, node->numbers.total_ticks);
	assert_true(node->numbers.open + node->recursive_calls <= node->numbers.calls + node->numbers.open);
	assert_true(node->numbers.min_ticks <= node->numbers.p50_ticks && node->numbers.p50_ticks <= node->numbers.p90_ticks);
	assert_true(node->numbers.p90_ticks <= node->numbers.p99_ticks && node->numbers.p99_ticks <= node->numbers.max_ticks);
}

void fixture_check(const struct profile *profile)
{
	uint64_t selfs = 0, calls = 0, flat_selfs = 0, flat_calls = 0, pair_calls = 0;
	size_t nodes = 0;

	for (const struct call_node *node = profile->root; node; node = node_after(node)) {
		node_check(node);
		selfs += node->numbers.self_ticks;
		calls += node->numbers.calls;
		nodes++;
	}
	for (size_t i = 0; i < profile->nr_functions; i++) {
		flat_selfs += profile->functions[i].numbers.self_ticks;
		flat_calls += profile->functions[i].numbers.calls;
	}
	for (size_t i = 0; i < profile->nr_pairs; i++)
		pair_calls += profile->pairs[i].calls;
	assert_int_equal(selfs, profile->root->numbers.total_ticks);
	assert_int_equal(flat_selfs, selfs);
	assert_int_equal(calls, profile->info.calls);
	assert_int_equal(flat_calls, calls);
	assert_int_equal(pair_calls, calls);
	assert_int_equal(nodes, profile->nodes);
}
