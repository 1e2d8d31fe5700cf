/* SPDX-License-Identifier: BSD-2-Clause */
/* What check says of sound traces (nothing), of each way in which events can contradict each other, and of END's totals. */
#include "trace_check.h"

#include <string.h>

#include "trace_test_support.h"

static const char *path;
static uint32_t top, work, leaf, dead;

static struct trace_builder *begin(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);

	trace_builder_module(builder, "/bin/app", 0x555555554000);
	top = trace_builder_context(builder, 0, 0x1000, 0x500);
	work = trace_builder_context(builder, top, 0x2000, 0x1010);
	leaf = trace_builder_context(builder, work, 0x3000, 0x2010);
	dead = trace_builder_context(builder, top, 0x4000, 0x1010);
	trace_builder_context_record(builder, dead)->flags = CPROF_CONTEXT_DEAD;
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 2010, work);
	trace_builder_enter(builder, 0, 2020, leaf);
	trace_builder_cut(builder, 0);
	return builder;
}

static struct trace_report *check(struct trace_builder *builder)
{
	struct trace_report *report;

	trace_builder_write(builder, path);
	assert_null(trace_check(path, false, &report));
	trace_builder_destroy(builder);
	return report;
}

static struct trace_report *end_and_check(struct trace_builder *builder)
{
	trace_builder_end(builder);
	return check(builder);
}

static void print_findings(const struct trace_report *report)
{
	for (size_t i = 0; i < report->nr_findings; i++)
		print_error("finding: %s\n", report->findings[i].text);
}

static const struct trace_finding *assert_finding(const struct trace_report *report, enum trace_finding_severity severity, const char *text)
{
	for (size_t i = 0; i < report->nr_findings; i++) {
		if (strstr(report->findings[i].text, text) && report->findings[i].severity == severity)
			return &report->findings[i];
	}
	print_findings(report);
	fail_msg("no finding says \"%s\"", text);
	return NULL;
}

/* The one thing that is wrong, in the chunk after the first. */
static void assert_only(struct trace_report *report, enum trace_finding_severity severity, const char *text)
{
	if (report->nr_findings != 1)
		print_findings(report);
	assert_int_equal(report->nr_findings, 1);
	assert_finding(report, severity, text);
	assert_int_equal(report->nr_damage, severity == FINDING_DAMAGE);
	trace_report_destroy(report);
}

static void test_sound_trace(void **state)
{
	struct trace_builder *builder = begin();

	(void)state;
	trace_builder_exit(builder, 0, 2100);
	trace_builder_cut(builder, 0);
	trace_builder_exit(builder, 0, 2100);
	trace_builder_exit(builder, 0, 2101);
	struct trace_report *report = end_and_check(builder);

	print_findings(report);
	assert_int_equal(report->nr_findings, 0);
	assert_int_equal(report->enters, 3);
	assert_int_equal(report->exits, 3);
	assert_int_equal(report->events, 6);
	assert_int_equal(report->events_chunks, 3);
	assert_int_equal(report->open_calls, 0);
	trace_report_destroy(report);
}

static void test_killed_process(void **state)
{
	struct trace_builder *builder = begin();

	(void)state;
	trace_builder_exit(builder, 0, 2100);
	trace_builder_end_live(builder);
	struct trace_report *report = check(builder);

	assert_int_equal(report->open_calls, 2);
	assert_int_equal(report->events, 4);
	assert_only(report, FINDING_NOTE, "did not end cleanly");
}

static void test_repairs_and_losses(void **state)
{
	struct trace_builder *builder = begin();

	(void)state;
	trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 2);
	trace_builder_exit(builder, 0, 2100);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_UNMATCHED, 5);
	trace_builder_enter(builder, 0, 2200, top);
	trace_builder_escape(builder, 0, CPROF_ESCAPE_LOST, 7);
	trace_builder_loss(builder, 0, CPROF_LOSS_BUFFER_FULL, 7);
	trace_builder_thread_record(builder, 0)->repaired_calls = 3;
	trace_builder_thread_record(builder, 0)->unmatched_exits = 5;
	struct trace_report *report = end_and_check(builder);

	assert_int_equal(report->repaired_calls, 3);
	assert_int_equal(report->unmatched_exits, 5);
	assert_int_equal(report->lost_events, 7);
	assert_only(report, FINDING_LOSS, "7 events: no free buffer");
}

static void test_contradictions(void **state)
{
	struct trace_builder *builder = begin();

	(void)state;
	trace_builder_enter(builder, 0, 2100, top);
	assert_only(end_and_check(builder), FINDING_DAMAGE, "1 enters of contexts that are not below the current one");
	builder = begin();
	trace_builder_enter(builder, 0, 2100, 77);
	assert_only(end_and_check(builder), FINDING_DAMAGE, "1 enters of contexts that the table does not have");
	builder = begin();
	trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 2);
	trace_builder_enter(builder, 0, 2100, dead);
	trace_builder_thread_record(builder, 0)->repaired_calls = 2;
	assert_only(end_and_check(builder), FINDING_DAMAGE, "1 enters of contexts that were never in use");
	builder = begin();
	trace_builder_exit_to(builder, 0, 2100, top);
	assert_only(end_and_check(builder), FINDING_DAMAGE, "1 exits to another context than the stack holds");
	builder = begin();
	for (uint64_t i = 0; i < 5; i++)
		trace_builder_exit(builder, 0, 2100 + i);
	assert_only(end_and_check(builder), FINDING_DAMAGE, "2 exits without an open call");
	builder = begin();
	trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 4000000000u);
	trace_builder_thread_record(builder, 0)->repaired_calls = 4000000000u;
	assert_only(end_and_check(builder), FINDING_DAMAGE, "repairs of more calls than are open");
	builder = begin();
	trace_builder_escape(builder, 0, CPROF_ESCAPE_CLOCK, 1);
	assert_only(end_and_check(builder), FINDING_DAMAGE, "escapes that a trace file cannot hold");
}

/* One chunk by hand: header and columns as given. */
static void add_chunk(struct trace_builder *builder, const struct cprof_chunk_header *given, const struct cprof_events_header *columns, const uint8_t *bytes,
		      size_t nr_bytes)
{
	struct cprof_chunk_header header = *given;
	uint8_t payload[256];

	header.magic = CPROF_CHUNK_MAGIC;
	header.kind = CPROF_CHUNK_EVENTS;
	header.version = CPROF_FORMAT_VERSION;
	header.payload_bytes = sizeof *columns + nr_bytes;
	memcpy(payload, columns, sizeof *columns);
	memcpy(payload + sizeof *columns, bytes, nr_bytes);
	trace_builder_chunk(builder, &header, payload, sizeof *columns + nr_bytes);
}

/* A second chunk of thread 0 that leaves leaf, 100 ticks after it was entered; each case bends one thing. */
static void test_bent_chunks(void **state)
{
	static const struct {
		struct cprof_chunk_header header;
		struct cprof_events_header columns;
		uint8_t bytes[16];
		size_t nr_bytes;
		const char *text;
	} cases[] = {
#define HEADER(first, last, nr_open, current, nr_items) \
	{ .sequence = 1, .first_tsc = first, .last_tsc = last, .depth = nr_open, .context = current, .items = nr_items }
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, NULL },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 2, 0, 0, 100 }, 4, "1 calls in the closed column that are not what the stack holds" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 1, 0, 100 }, 4, "1 calls in the closed column that are not what the stack holds" },
		{ HEADER(2020, 2120, 3, 3, 1), { 0, 0, 1, 1 }, { 0, 100 }, 2, "1 calls closed that the closed column does not name" },
		{ HEADER(2020, 2120, 3, 3, 1), { 2, 4, 1, 1 }, { 3, 0, 2, 10, 0, 100 }, 6, "1 calls in the closed column that the chunk does not close" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 101 }, 4, "the chunk's last event is not at the time its header says" },
		{ HEADER(2020, 2120, 2, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "depth or context at the chunk's start" },
		{ HEADER(2020, 2120, 3, 2, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "depth or context at the chunk's start" },
		{ HEADER(2020, 2120, 3, 99, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "the context at the chunk's start is not in the table" },
		{ HEADER(2000, 2100, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "the chunk begins before the one before it ends" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 2 }, { 3, 0, 0, 100, 0 }, 5, "time column of an EVENTS chunk: goes on after the last item" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 0x80 }, 4, "time column of an EVENTS chunk: ends before the last item" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 2, 100 }, 4, "id column of an EVENTS chunk: an escape is not complete" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 5, 1 }, { 3, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 100 }, 8, "id column of an EVENTS chunk: a number is no id" },
		{ HEADER(2020, 2120, 3, 3, 1), { 1, 2, 2, 1 }, { 3, 0, 0, 100 }, 4, "the columns of an EVENTS chunk do not add up to its payload" },
		{ HEADER(2020, 2120, 3, 3, 2), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "an EVENTS chunk says it has more items than bytes" },
		{ HEADER(2020, 2120, 0, 3, 1), { 1, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "an EVENTS chunk closes more calls than were open" },
		{ HEADER(2020, 2120, 3, 3, 1), { 0xFFFFFFFF, 2, 1, 1 }, { 3, 0, 0, 100 }, 4, "an EVENTS chunk says it has more items than bytes" },
#undef HEADER
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct trace_builder *builder = begin();
		struct trace_report *report;

		add_chunk(builder, &cases[i].header, &cases[i].columns, cases[i].bytes, cases[i].nr_bytes);
		trace_builder_end_tables(builder); /* no END: its totals would be wrong as well */
		report = check(builder);
		if (cases[i].text)
			assert_int_not_equal(assert_finding(report, FINDING_DAMAGE, cases[i].text)->offset, CPROF_NO_OFFSET);
		else
			assert_int_equal(report->nr_damage, 0);
		trace_report_destroy(report);
	}
}

static void test_wrong_totals(void **state)
{
	struct cprof_end end = { .end_tsc = 2020, .events = 4, .chunks = 2, .contexts = 4, .threads = 2, .reason = CPROF_END_EXIT };
	struct trace_builder *builder = begin();

	(void)state;
	trace_builder_end_tables(builder);
	trace_builder_table(builder, CPROF_CHUNK_END, 0, 1, &end, sizeof end);
	trace_builder_end_index(builder);
	struct trace_report *report = check(builder);

	assert_finding(report, FINDING_DAMAGE, "END says 4 events, the trace has 3");
	assert_finding(report, FINDING_DAMAGE, "END says 2 chunks of events, the trace has 1");
	assert_finding(report, FINDING_DAMAGE, "END says 4 contexts, the trace has 5");
	assert_finding(report, FINDING_DAMAGE, "END says 2 threads, the trace has 1");
	trace_report_destroy(report);
}

/* The content checksum covers nothing that a block checksum does not; only check reads it. */
static void test_content_checksum(void **state)
{
	struct trace_builder *builder = begin();
	size_t nr_bytes;

	(void)state;
	trace_builder_end(builder);
	const struct cprof_index_entry *entry = trace_builder_entry(builder, 2);

	trace_builder_bytes(builder, &nr_bytes)[entry->offset + entry->frame_bytes - 1] ^= 1;
	struct trace_report *report = check(builder);

	assert_finding(report, FINDING_DAMAGE, "checksum of a chunk's content does not match");
	trace_report_destroy(report);
}

/* More problems than are listed: all are counted. */
static void test_very_many_problems(void **state)
{
	struct trace_builder *builder = begin();

	(void)state;
	for (int i = 0; i < 1500; i++)
		trace_builder_table(builder, CPROF_CHUNK_LOSS, 0, 1, "bad", 3);
	struct trace_report *report = end_and_check(builder);

	assert_int_equal(report->nr_findings, 1000);
	assert_int_equal(report->nr_unlisted, 500);
	assert_int_equal(report->nr_damage, 1500);
	trace_report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_trace),
		cmocka_unit_test(test_killed_process),
		cmocka_unit_test(test_repairs_and_losses),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_bent_chunks),
		cmocka_unit_test(test_wrong_totals),
		cmocka_unit_test(test_content_checksum),
		cmocka_unit_test(test_very_many_problems),
	};

	path = test_path("trace_check_test");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	return failed;
}
