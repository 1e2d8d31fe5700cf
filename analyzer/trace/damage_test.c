/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small trace cut at every byte and with every single bit flipped: each must be noticed, leave the sound chunks as they were, and harm nobody.
 * Then files made to cost memory and time. Run it with CPROF_SANITIZE=address,undefined.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "trace_check.h"
#include "trace_test_support.h"

#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

static const char *path;

static struct trace_builder *build_small(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top, work, leaf;

	trace_builder_module(builder, "/bin/app", 0x555555554000);
	top = trace_builder_context(builder, 0, 0x1000, 0x500);
	work = trace_builder_context(builder, top, 0x2000, 0x1010);
	leaf = trace_builder_context(builder, work, 0x3000, 0x2010);
	for (uint32_t thread = 0; thread < 2; thread++) {
		uint64_t ticks = 2000;

		trace_builder_enter(builder, thread, ticks, top);
		for (int i = 0; i < 6; i++) {
			trace_builder_enter(builder, thread, ticks += 3, work);
			if (i % 3 == 1)
				trace_builder_cut(builder, thread);
			trace_builder_enter(builder, thread, ticks += 5, leaf);
			trace_builder_exit(builder, thread, ticks += 300);
			trace_builder_exit(builder, thread, ticks += 1);
		}
	}
	return builder;
}

/* Everything the library can do with the file at path. */
struct outcome {
	bool refused, clean;
	size_t nr_events[2];
	bool events_are_of_original; /* all events read are in the original, in order */
	uint64_t nr_findings;
};

static bool is_subsequence(const struct event_list *part, const struct event_list *whole)
{
	size_t at = 0;

	for (size_t i = 0; i < part->nr; i++, at++) {
		while (at < whole->nr && memcmp(&part->items[i], &whole->items[at], sizeof *part->items))
			at++;
		if (at == whole->nr)
			return false;
	}
	return true;
}

static struct outcome try_file(const struct event_list *original)
{
	struct outcome outcome = { .events_are_of_original = true };
	struct session *session;
	struct trace_report *report;
	struct cprof_error *error = session_open(&path, 1, &session);

	if (error) {
		assert_non_null(error->message);
		cprof_error_free(error);
		outcome.refused = true;
		error = trace_check(path, false, &report);
		assert_non_null(error);
		cprof_error_free(error);
		return outcome;
	}
	struct trace *trace = session_trace(session, 0);

	for (uint32_t thread = 0; thread < trace_tables(trace)->nr_threads && thread < 2; thread++) {
		struct event_list events = read_events(trace, thread);

		outcome.nr_events[thread] = events.nr;
		if (original)
			outcome.events_are_of_original &= is_subsequence(&events, &original[thread]);
		free(events.items);
	}
	outcome.clean = trace_state(trace)->clean;
	session_destroy(session);
	assert_null(trace_check(path, false, &report));
	outcome.nr_findings = report->nr_findings;
	trace_report_destroy(report);
	return outcome;
}

static void read_original(struct event_list *lists)
{
	struct session *session;

	assert_null(session_open(&path, 1, &session));
	for (uint32_t thread = 0; thread < 2; thread++)
		lists[thread] = read_events(session_trace(session, 0), thread);
	assert_int_equal(lists[0].nr, 1 + 6 * 4);
	session_destroy(session);
}

static void flip(int fd, size_t byte, unsigned int bit)
{
	uint8_t value;

	assert_int_equal(pread(fd, &value, 1, (off_t)byte), 1);
	value ^= (uint8_t)(1u << bit);
	assert_int_equal(pwrite(fd, &value, 1, (off_t)byte), 1);
}

static void test_every_bit(void **state)
{
	struct trace_builder *builder = build_small();
	struct event_list original[2];
	size_t nr_bytes;

	(void)state;
	trace_builder_end(builder);
	trace_builder_write(builder, path);
	trace_builder_bytes(builder, &nr_bytes);
	read_original(original);
	int fd = open(path, O_RDWR);

	for (size_t byte = 0; byte < nr_bytes; byte++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			flip(fd, byte, bit);
			struct outcome outcome = try_file(original);

			if (!outcome.refused && (!outcome.nr_findings || !outcome.events_are_of_original))
				fail_msg("bit %u of byte %zu: not noticed", bit, byte);
			/* Whoever does not run check must see it, too, if anything is missing. */
			if (!outcome.refused && outcome.clean && outcome.nr_events[0] + outcome.nr_events[1] != original[0].nr + original[1].nr)
				fail_msg("bit %u of byte %zu: events are missing from a clean trace", bit, byte);
			flip(fd, byte, bit);
		}
	}
	close(fd);
	assert_int_equal(try_file(original).nr_findings, 0); /* all is as it was */
	free(original[0].items);
	free(original[1].items);
	trace_builder_destroy(builder);
}

static void test_every_length(void **state)
{
	struct trace_builder *builder = build_small();
	struct event_list original[2];
	size_t nr_bytes;

	(void)state;
	trace_builder_end(builder);
	trace_builder_write(builder, path);
	trace_builder_bytes(builder, &nr_bytes);
	read_original(original);
	const struct cprof_index_entry *end = trace_builder_entry(builder, trace_builder_nr_chunks(builder) - 1);

	for (size_t bytes = nr_bytes; bytes-- > 0;) {
		assert_int_equal(truncate(path, (off_t)bytes), 0);
		struct outcome outcome = try_file(original);

		assert_true(outcome.refused || (outcome.nr_findings && outcome.events_are_of_original));
		if (bytes < end->offset + end->frame_bytes) /* else only the index is missing */
			assert_false(outcome.clean);
		if (bytes >= trace_builder_entry(builder, 0)->frame_bytes)
			assert_false(outcome.refused);
	}
	free(original[0].items);
	free(original[1].items);
	trace_builder_destroy(builder);
}

/* No checksums there: what is read may be wrong, but must stay within bounds (the sanitizers see to that) and end. */
static void test_live_file(void **state)
{
	struct trace_builder *builder = build_small();
	char live_path[300];
	size_t nr_bytes;

	(void)state;
	trace_builder_unfinished(builder, 0);
	trace_builder_end_live(builder);
	trace_builder_write(builder, path);
	const uint8_t *live = trace_builder_live_bytes(builder, &nr_bytes);

	snprintf(live_path, sizeof live_path, "%s.live", path);
	int fd = open(live_path, O_RDWR);

	assert_true(fd >= 0);
	for (size_t byte = 0; byte < nr_bytes; byte++) {
		bool head = byte < 160 || (byte >= offsetof(struct cprof_live_header, extents) && byte < offsetof(struct cprof_live_header, extents) + 192);

		if (!head && !live[byte]) /* much of it is unused */
			continue;
		for (unsigned int bit = 0; bit < 8; bit++) {
			flip(fd, byte, bit);
			try_file(NULL);
			flip(fd, byte, bit);
		}
	}
	for (size_t bytes = nr_bytes; bytes > 64; bytes -= bytes > CPROF_LIVE_HEADER_BYTES ? 8 : 4096) {
		assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
		try_file(NULL);
	}
	close(fd);
	trace_builder_destroy(builder);
}

/* --- cost --- */

enum { INPUT_BYTES = 1 << 20, CHUNK_BYTES = CPROF_CHUNK_MAX_PAYLOAD };

static void check_cost(struct trace_builder *builder)
{
	struct timespec before, after;
	struct trace_report *report;
	struct cprof_error *error;
	struct rusage usage;

	trace_builder_write(builder, path);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	error = trace_check(path, false, &report);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	if (!error) {
		assert_int_not_equal(report->nr_findings, 0);
		trace_report_destroy(report);
	}
	cprof_error_free(error);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;

	print_message("%.2f s CPU, at most %ld MB so far\n", seconds, usage.ru_maxrss / 1024);
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(seconds < 10);
	assert_true(usage.ru_maxrss < 512 * 1024);
#endif
	trace_builder_destroy(builder);
}

static size_t file_bytes(struct trace_builder *builder)
{
	size_t nr_bytes;

	trace_builder_bytes(builder, &nr_bytes);
	return nr_bytes;
}

/* Tables of zeros, 255 to 1, with ids as far apart as they may be. */
static void test_packed_tables(void **state)
{
	static const uint16_t kinds[] = { CPROF_CHUNK_CONTEXTS, CPROF_CHUNK_MODULES, CPROF_CHUNK_THREADS, CPROF_CHUNK_LOSS, CPROF_CHUNK_CLOCK };
	static const size_t record_bytes[] = { sizeof(struct cprof_context), sizeof(struct cprof_module), sizeof(struct cprof_thread),
					       sizeof(struct cprof_loss), sizeof(struct cprof_clock) };
	uint8_t *zeros = calloc(1, CHUNK_BYTES);

	(void)state;
	assert_non_null(zeros);
	for (size_t only = 0; only <= 5; only++) { /* one kind alone, then all in turn */
		struct trace_builder *builder = trace_builder_create(NULL);

		for (uint64_t i = 0; file_bytes(builder) < INPUT_BYTES - 20000; i++) {
			size_t kind = only < 5 ? only : i % 5, bytes = CHUNK_BYTES / record_bytes[kind] * record_bytes[kind];

			trace_builder_table(builder, kinds[kind], i * 100000, 0, zeros, bytes);
		}
		check_cost(builder);
	}
	free(zeros);
}

/* Chunks of nothing but enters; each says that four billion calls are open. */
static void test_packed_events(void **state)
{
	static const uint8_t patterns[] = { 3, CPROF_ID_EXIT, CPROF_ID_ESCAPE };
	struct cprof_events_header *columns = calloc(1, CHUNK_BYTES);
	uint8_t *payload = (uint8_t *)columns;

	(void)state;
	assert_non_null(columns);
	for (size_t i = 0; i < sizeof patterns; i++) {
		struct trace_builder *builder = trace_builder_create(NULL);
		struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_EVENTS, .version = 1, .payload_bytes = CHUNK_BYTES,
						     .depth = UINT32_MAX, .context = 1, .items = CHUNK_BYTES / 2 - 16 };

		trace_builder_context(builder, 0, 0x1000, 0);
		*columns = (struct cprof_events_header){ 0, 0, CHUNK_BYTES / 2 - 16, CHUNK_BYTES / 2 };
		memset(payload + sizeof *columns, patterns[i], CHUNK_BYTES / 2 - 16);
		for (; file_bytes(builder) < INPUT_BYTES - 20000; header.sequence++)
			trace_builder_chunk(builder, &header, payload, CHUNK_BYTES);
		trace_builder_end_tables(builder);
		check_cost(builder);
	}
	free(columns);
}

/* A frame that seems to start at every place, or is there but cut. */
static void test_false_starts(void **state)
{
	static const uint8_t magic[] = { 0x04, 0x22, 0x4D, 0x18 };
	struct trace_builder *builder = trace_builder_create(NULL), *source = trace_builder_create(NULL);
	static uint8_t payload[100000];
	size_t nr_bytes;

	(void)state;
	while (file_bytes(builder) < INPUT_BYTES)
		trace_builder_raw(builder, magic, sizeof magic);
	check_cost(builder);

	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * i >> 7);
	trace_builder_table(source, CPROF_CHUNK_LOSS, 0, 0, payload, sizeof payload);
	const struct cprof_index_entry *entry = trace_builder_entry(source, 2);
	const uint8_t *bytes = trace_builder_bytes(source, &nr_bytes);

	builder = trace_builder_create(NULL);
	while (file_bytes(builder) < INPUT_BYTES)
		trace_builder_raw(builder, bytes + entry->offset, 91); /* a perfect start and nothing after it */
	check_cost(builder);
	trace_builder_destroy(source);
}

/* A live file whose extents all lie over each other. */
static void test_overlapping_extents(void **state)
{
	static const uint32_t kinds[] = { CPROF_EXTENT_BLOCKS, CPROF_EXTENT_CONTEXTS, CPROF_EXTENT_MODULES, CPROF_EXTENT_THREADS };
	static const uint32_t record_bytes[] = { 128, sizeof(struct cprof_context), sizeof(struct cprof_module), sizeof(struct cprof_thread) };
	static uint8_t live[INPUT_BYTES];

	(void)state;
	for (size_t kind = 0; kind < 4; kind++) {
		struct trace_builder *builder = build_small();
		struct cprof_live_header *header = (struct cprof_live_header *)(void *)live;
		char live_path[300];
		size_t nr_bytes;

		trace_builder_end_live(builder);
		memset(live, 1, sizeof live); /* blocks: state OWNED; words that are enters */
		memcpy(live, trace_builder_live_bytes(builder, &nr_bytes), CPROF_LIVE_HEADER_BYTES);
		for (size_t at = CPROF_LIVE_HEADER_BYTES; at < sizeof live; at += 128) {
			struct cprof_block_header block = { .state = CPROF_BLOCK_OWNED, .depth = UINT32_MAX, .context = 1, .sequence = at };

			memcpy(live + at, &block, sizeof block);
		}
		header->contexts = header->modules = header->threads = UINT32_MAX;
		for (size_t i = 0; i < CPROF_LIVE_EXTENTS; i++)
			header->extents[i] = (struct cprof_extent){ kinds[kind], record_bytes[kind], i * 1000, CPROF_LIVE_HEADER_BYTES, UINT64_MAX };
		snprintf(live_path, sizeof live_path, "%s.live", path);
		trace_builder_write(builder, path);
		trace_builder_write_file(live_path, live, sizeof live);

		struct timespec before, after;
		struct rusage usage;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		try_file(NULL);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
		print_message("%ld s, at most %ld MB so far\n", (long)(after.tv_sec - before.tv_sec), usage.ru_maxrss / 1024);
#if !defined(__SANITIZE_ADDRESS__)
		assert_true(after.tv_sec - before.tv_sec < 10);
		assert_true(usage.ru_maxrss < 512 * 1024);
#endif
		trace_builder_destroy(builder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_live_file),
		cmocka_unit_test(test_packed_tables),
		cmocka_unit_test(test_packed_events),
		cmocka_unit_test(test_false_starts),
		cmocka_unit_test(test_overlapping_extents),
	};

	path = test_path("damage_test");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	return failed;
}
