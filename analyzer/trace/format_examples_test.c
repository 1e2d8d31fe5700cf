/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hex examples of docs/trace-format.md are true: the builder writes exactly these bytes, and the reader finds in them what the page says.
 *
 * With an argument it prints the builder's bytes instead, to write the page from.
 */
#include <ctype.h>
#include <string.h>

#include "trace_test_support.h"

static const char *path;

/* Two chunks; the second is example 1. */
static struct trace_builder *build_chunk_example(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t outer = trace_builder_context(builder, 0, 0x1000, 0x500);
	uint32_t inner = trace_builder_context(builder, outer, 0x2000, 0x1010);

	trace_builder_enter(builder, 0, 1000000, outer);
	trace_builder_enter(builder, 0, 1000100, inner);
	trace_builder_cut(builder, 0);
	trace_builder_exit(builder, 0, 1000150);
	trace_builder_enter(builder, 0, 1000300, inner);
	trace_builder_exit(builder, 0, 1000420);
	trace_builder_exit(builder, 0, 1001000);
	trace_builder_cut(builder, 0);
	return builder;
}

/* A killed process with one block, example 2: an event that crosses the clock's upper half, and one that was never finished. */
static struct trace_builder *build_block_example(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t outer = trace_builder_context(builder, 0, 0x1000, 0x500);
	uint32_t inner = trace_builder_context(builder, outer, 0x2000, 0x1010);
	uint32_t handler = trace_builder_context(builder, inner, 0x3000, 0);

	trace_builder_enter(builder, 0, 0x4FFFFFFF0ull, outer);
	trace_builder_enter(builder, 0, 0x500000010ull, inner);
	trace_builder_exit(builder, 0, 0x500000030ull);
	trace_builder_enter(builder, 0, 0x500000040ull, inner);
	trace_builder_unfinished(builder, 0);
	trace_builder_enter(builder, 0, 0x500000050ull, handler);
	trace_builder_end_live(builder);
	return builder;
}

static const uint8_t *chunk_bytes(struct trace_builder *builder, size_t *ret_bytes)
{
	const struct cprof_index_entry *entry = trace_builder_entry(builder, trace_builder_nr_chunks(builder) - 1);

	*ret_bytes = entry->frame_bytes;
	return trace_builder_bytes(builder, &(size_t){ 0 }) + entry->offset;
}

static const uint8_t *block_bytes(struct trace_builder *builder, size_t *ret_bytes)
{
	size_t nr_bytes;
	const uint8_t *live = trace_builder_live_bytes(builder, &nr_bytes);
	const struct cprof_extent *extent = ((const struct cprof_live_header *)(const void *)live)->extents;

	while (extent->kind != CPROF_EXTENT_BLOCKS)
		extent++;
	*ret_bytes = sizeof(struct cprof_block_header) + 6 * sizeof(uint64_t);
	return live + extent->offset;
}

/* Lines "    0013  43 48 4E 4B  what it is" that follow the heading; two spaces end the bytes. */
static size_t read_example(const char *heading, uint8_t *bytes, size_t capacity)
{
	FILE *page = fopen(CPROF_FORMAT_PAGE, "r");
	bool found = false;
	size_t nr = 0;
	char line[1000];

	assert_non_null(page);
	while (fgets(line, sizeof line, page)) {
		unsigned int offset, byte;
		int length;

		if (!found) {
			found = strstr(line, heading) != NULL;
			continue;
		}
		if (line[0] == '#')
			break;
		if (strncmp(line, "    ", 4) || !isxdigit((unsigned char)line[4]) || sscanf(line, "%4x%n", &offset, &length) != 1 ||
		    strncmp(line + length, "  ", 2))
			continue;
		assert_int_equal(offset, nr);
		for (const char *at = line + length + 1; at[0] == ' ' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]); at += 3) {
			assert_true(nr < capacity);
			assert_int_equal(sscanf(at, "%2x", &byte), 1);
			bytes[nr++] = (uint8_t)byte;
		}
	}
	fclose(page);
	return nr;
}

static void assert_page_says(const char *heading, const uint8_t *bytes, size_t nr_bytes)
{
	uint8_t example[1000];

	assert_int_equal(read_example(heading, example, sizeof example), nr_bytes);
	assert_memory_equal(example, bytes, nr_bytes);
}

static void test_chunk_example(void **state)
{
	struct trace_builder *builder = build_chunk_example();
	size_t nr_bytes;
	const uint8_t *bytes = chunk_bytes(builder, &nr_bytes);

	(void)state;
	assert_page_says("Example 1", bytes, nr_bytes);
	trace_builder_end(builder);
	struct session *session = open_built(builder, path);
	struct event_list events = read_events(session_trace(session, 0), 0);

	assert_int_equal(events.nr, 6);
	assert_item(&events.items[2], EVENT_EXIT, 0, 1000150);
	assert_item(&events.items[3], EVENT_ENTER, 2, 1000300);
	assert_item(&events.items[4], EVENT_EXIT, 0, 1000420);
	assert_item(&events.items[5], EVENT_EXIT, 0, 1001000);
	free(events.items);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_block_example(void **state)
{
	struct trace_builder *builder = build_block_example();
	size_t nr_bytes;
	const uint8_t *bytes = block_bytes(builder, &nr_bytes);

	(void)state;
	assert_page_says("Example 2", bytes, nr_bytes);
	struct session *session = open_built(builder, path);
	struct event_list events = read_events(session_trace(session, 0), 0);

	assert_int_equal(events.nr, 6);
	assert_item(&events.items[0], EVENT_ENTER, 1, 0x4FFFFFFF0ull);
	assert_item(&events.items[1], EVENT_ENTER, 2, 0x500000010ull);
	assert_item(&events.items[2], EVENT_EXIT, 0, 0x500000030ull);
	assert_item(&events.items[3], EVENT_ESCAPE, CPROF_ESCAPE_UNTIMED, 0x500000030ull);
	assert_item(&events.items[4], EVENT_ENTER, 2, 0x500000050ull);
	assert_item(&events.items[5], EVENT_ENTER, 3, 0x500000050ull);
	free(events.items);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void print_bytes(const char *name, const uint8_t *bytes, size_t nr_bytes)
{
	printf("%s", name);
	for (size_t i = 0; i < nr_bytes; i++)
		printf(" %02X", bytes[i]);
	printf("\n");
}

int main(int nr_arguments, char **arguments)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_chunk_example), cmocka_unit_test(test_block_example) };

	(void)arguments;
	if (nr_arguments > 1) {
		struct trace_builder *builder = build_chunk_example();
		size_t nr_bytes;
		const uint8_t *bytes = chunk_bytes(builder, &nr_bytes);

		print_bytes("chunk", bytes, nr_bytes);
		trace_builder_destroy(builder);
		builder = build_block_example();
		bytes = block_bytes(builder, &nr_bytes);
		print_bytes("block", bytes, nr_bytes);
		trace_builder_destroy(builder);
		return 0;
	}
	path = test_path("format_examples_test");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	return failed;
}
