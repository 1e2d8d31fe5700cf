/* SPDX-License-Identifier: BSD-2-Clause */
/* The builder's traces, seen by lz4's own frame decoder: every frame must pass, and its first 64 bytes be the chunk header at offset 19. */
#include "trace_builder.h"

#include <lz4frame.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_frames_pass_lz4(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);
	uint32_t leaf = trace_builder_context(builder, top, 0x2000, 0x1010);
	uint8_t content[65536];
	size_t nr_bytes;

	(void)state;
	trace_builder_enter(builder, 0, 2000, top);
	for (uint64_t i = 0; i < 1000; i++) {
		trace_builder_enter(builder, 0, 2001 + 2 * i, leaf);
		trace_builder_exit(builder, 0, 2002 + 2 * i);
		if (i == 500)
			trace_builder_cut(builder, 0);
	}
	trace_builder_exit(builder, 0, 9000);
	trace_builder_end(builder);
	assert_int_equal(trace_builder_nr_chunks(builder), 8); /* META CLOCK EVENTS EVENTS CONTEXTS THREADS CLOCK END */

	const uint8_t *file = trace_builder_bytes(builder, &nr_bytes);
	uint64_t end = 0;
	uint32_t magic;

	for (size_t i = 0; i < trace_builder_nr_chunks(builder); i++) {
		const struct cprof_index_entry *entry = trace_builder_entry(builder, i);
		size_t content_bytes = sizeof content, frame_bytes = entry->frame_bytes;
		struct cprof_chunk_header header;
		LZ4F_dctx *context;

		assert_int_equal(entry->offset, end);
		end += entry->frame_bytes;
		assert_int_equal(LZ4F_createDecompressionContext(&context, LZ4F_VERSION), 0);
		assert_int_equal(LZ4F_decompress(context, content, &content_bytes, file + entry->offset, &frame_bytes, NULL), 0);
		assert_int_equal(frame_bytes, entry->frame_bytes);
		LZ4F_freeDecompressionContext(context);
		memcpy(&header, file + entry->offset + CPROF_CHUNK_HEADER_OFFSET, sizeof header);
		assert_memory_equal(&header, content, sizeof header);
		assert_int_equal(header.magic, CPROF_CHUNK_MAGIC);
		assert_int_equal(header.payload_bytes, content_bytes - sizeof header);
		assert_int_equal(header.kind, entry->kind);
	}
	memcpy(&magic, file + end, sizeof magic);
	assert_int_equal(magic, CPROF_INDEX_MAGIC);
	trace_builder_destroy(builder);
}

/* The second chunk of a thread that is two calls deep and leaves both: what decoding it alone needs. */
static void test_closed_column(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);
	uint32_t leaf = trace_builder_context(builder, top, 0x2000, 0x1010);
	static const uint8_t expected[] = { 2, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, /* 2 closed, column bytes 4, 2, 2 */
					    2, 10, 1, 20, /* leaf 10 ticks ago, top 20 */
					    0, 0, 3, 4 };

	(void)state;
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 2005, leaf);
	trace_builder_exit_to(builder, 0, 2010, top);
	trace_builder_enter(builder, 0, 2010, leaf);
	trace_builder_enter(builder, 0, 2020, leaf);
	trace_builder_exit(builder, 0, 2020);
	trace_builder_cut(builder, 0);
	trace_builder_exit(builder, 0, 2023);
	trace_builder_exit(builder, 0, 2027);
	trace_builder_cut(builder, 0);

	size_t nr_bytes;
	const uint8_t *file = trace_builder_bytes(builder, &nr_bytes);
	const struct cprof_index_entry *entry = trace_builder_entry(builder, trace_builder_nr_chunks(builder) - 1);
	uint8_t content[256];
	size_t content_bytes = sizeof content, frame_bytes = entry->frame_bytes;
	LZ4F_dctx *context;

	assert_int_equal(LZ4F_createDecompressionContext(&context, LZ4F_VERSION), 0);
	assert_int_equal(LZ4F_decompress(context, content, &content_bytes, file + entry->offset, &frame_bytes, NULL), 0);
	LZ4F_freeDecompressionContext(context);
	assert_int_equal(content_bytes, sizeof(struct cprof_chunk_header) + sizeof expected);
	assert_memory_equal(content + sizeof(struct cprof_chunk_header), expected, sizeof expected);
	trace_builder_destroy(builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_frames_pass_lz4), cmocka_unit_test(test_closed_column) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
