/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a live file, which its process may be writing at this moment; see live_file.h and docs/trace-format.md 6. */
#include "live_file.h"

#include <inttypes.h>
#include <string.h>

#include "vec.h"

enum { LARGEST_BLOCK_BYTES = 64 << 20, TABLE_STEP_BYTES = 1 << 16 };

static struct cprof_error *read_header(struct live_file *live)
{
	struct cprof_live_header *header = live->header;
	struct cprof_error *error = trace_file_read(&live->file, 0, header, sizeof *header);

	if (error)
		return error;
	if (header->magic != CPROF_LIVE_MAGIC)
		return cprof_error_at(CPROF_ERROR_FORMAT, live->file.path, 0, "is not a cprof live file");
	if (header->version > CPROF_FORMAT_VERSION)
		return cprof_error_at(CPROF_ERROR_UNSUPPORTED, live->file.path, 8, "was written by a newer cprof (format %u, this one reads up to %u)",
				      header->version, CPROF_FORMAT_VERSION);
	if (header->header_bytes != CPROF_LIVE_HEADER_BYTES || header->meta_bytes > sizeof header->meta)
		return cprof_error_at(CPROF_ERROR_FORMAT, live->file.path, 8, "the header of the live file is damaged");
	return NULL;
}

/* What of an extent is in the file, in whole items; 0 when it makes no sense. */
static uint64_t extent_items(const struct live_file *live, const struct cprof_extent *extent, uint64_t least_item_bytes)
{
	uint64_t bytes = extent->bytes;

	if (extent->item_bytes < least_item_bytes || extent->offset >= live->file.bytes)
		return 0;
	if (bytes > live->file.bytes - extent->offset)
		bytes = live->file.bytes - extent->offset;
	return bytes / extent->item_bytes;
}

static bool block_in_use(const struct cprof_block_header *header)
{
	return header->state == CPROF_BLOCK_OWNED || header->state == CPROF_BLOCK_FULL || header->state == CPROF_BLOCK_DRAINING;
}

static void count_words(struct live_block *block, uint64_t capacity)
{
	for (block->nr_words = capacity; block->nr_words && !block->words[block->nr_words - 1];)
		block->nr_words--;
}

/*
 * The words of a block whose header has been read. A writer that overtakes the copy leaves zeros behind in it that are none any more: what is
 * still 0 when read again is an event that is not finished.
 */
static struct cprof_error *copy_words(struct live_file *live, struct live_block *block, uint64_t capacity)
{
	uint64_t offset = block->offset + sizeof block->header;
	struct cprof_error *error = trace_file_read(&live->file, offset, block->words, capacity * sizeof *block->words);

	if (error)
		return error;
	count_words(block, capacity);
	for (size_t i = 0; i < block->nr_words; i++) {
		if (!block->words[i])
			return trace_file_read(&live->file, offset, block->words, block->nr_words * sizeof *block->words);
	}
	return NULL;
}

static uint64_t block_capacity(const struct cprof_block_header *header, uint64_t item_bytes)
{
	uint64_t capacity = (item_bytes - sizeof *header) / sizeof(uint64_t);

	return header->capacity && header->capacity < capacity ? header->capacity : capacity;
}

/* Header and words, if the block has both and they belong together; else block->words is NULL afterwards. */
static struct cprof_error *copy_block(struct live_file *live, struct live_block *block, uint64_t item_bytes)
{
	struct cprof_block_header again;
	struct cprof_error *error = trace_file_read(&live->file, block->offset, &block->header, sizeof block->header);

	block->words = NULL;
	if (error || !block_in_use(&block->header) || block->header.thread == CPROF_NO_THREAD)
		return error;
	block->words = malloc(block_capacity(&block->header, item_bytes) * sizeof *block->words);
	if (!block->words)
		return &cprof_enomem;
	error = copy_words(live, block, block_capacity(&block->header, item_bytes));
	if (!error)
		error = trace_file_read(&live->file, block->offset, &again, sizeof again);
	bool torn = !error && (!block_in_use(&again) || again.thread != block->header.thread || again.sequence != block->header.sequence);

	if (error || torn) {
		live->torn_blocks += torn; /* drained and perhaps used anew: its chunk is in the trace, which is read after this */
		free(block->words);
		block->words = NULL;
		return error;
	}
	/* One without events counts, too: its number is in the thread's record. */
	uint64_t *fitted = realloc(block->words, (block->nr_words + 1) * sizeof *block->words);

	block->words = fitted ? fitted : block->words;
	live->bytes_read += sizeof block->header + block->nr_words * sizeof *block->words;
	return NULL;
}

static struct cprof_error *add_block(struct live_file *live, uint64_t offset, uint64_t item_bytes)
{
	struct live_block block = { .offset = offset, .item_bytes = item_bytes };
	struct cprof_error *error = copy_block(live, &block, item_bytes);

	if (error || !block.words)
		return error;
	if (!vec_reserve(&live->blocks, &live->blocks_capacity, live->nr_blocks + 1, sizeof block)) {
		free(block.words);
		return &cprof_enomem;
	}
	live->blocks[live->nr_blocks++] = block;
	return NULL;
}

/*
 * A block that was being filled when it was copied, and is not any more: its thread has gone on to another one, which may have been copied
 * since. Without its last events the two would not fit together.
 */
static struct cprof_error *copy_filled_again(struct live_file *live)
{
	struct cprof_error *error = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < live->nr_blocks; i++) {
		struct live_block *block = &live->blocks[i];
		struct cprof_block_header now;

		if (!error && block->header.state == CPROF_BLOCK_OWNED) {
			error = trace_file_read(&live->file, block->offset, &now, sizeof now);
			if (!error && memcmp(&now, &block->header, sizeof now)) {
				free(block->words);
				error = copy_block(live, block, block->item_bytes);
			}
		}
		if (block->words)
			live->blocks[nr++] = *block;
	}
	live->nr_blocks = nr;
	return error;
}

static struct cprof_error *copy_blocks(struct live_file *live, struct problems *problems)
{
	for (size_t i = 0; i < CPROF_LIVE_EXTENTS; i++) {
		const struct cprof_extent *extent = &live->header->extents[i];
		struct cprof_error *error = NULL;

		if (extent->kind != CPROF_EXTENT_BLOCKS)
			continue;
		uint64_t items = extent->item_bytes > LARGEST_BLOCK_BYTES || extent->item_bytes % 8
				       ? 0
				       : extent_items(live, extent, sizeof(struct cprof_block_header) + 8);

		if (!items && extent->bytes)
			error = problems_add(problems, PROBLEM_OF_TRACE(FINDING_DAMAGE),
						    "live file: extent %zu makes no sense and is not used", i);
		for (uint64_t item = 0; item < items && !error; item++) {
			if (live->bytes_read > live->file.bytes) /* extents that overlap: never in a true one */
				return problems_add(problems, PROBLEM_OF_TRACE(FINDING_DAMAGE),
						    "live file: extents overlap; blocks from extent %zu on are not used", i);
			error = add_block(live, extent->offset + item * extent->item_bytes, extent->item_bytes);
		}
		if (error)
			return error;
	}
	return NULL;
}

struct cprof_error *live_file_open_tables(const char *path, struct live_file *ret, bool *exists)
{
	struct live_file live = { .file = TRACE_FILE_CLOSED };
	struct cprof_error *error = trace_file_open(path, &live.file);

	*exists = !error || error->code != CPROF_ERROR_NOT_FOUND;
	if (!*exists) {
		cprof_error_free(error);
		return NULL;
	}
	if (error)
		return error;
	live.header = malloc(sizeof *live.header);
	error = live.header ? read_header(&live) : &cprof_enomem;
	live.bytes_read = sizeof *live.header;
	if (error)
		live_file_close(&live);
	else
		*ret = live;
	return error;
}

struct cprof_error *live_file_open(const char *path, struct problems *problems, struct live_file *ret, bool *exists)
{
	struct live_file live;
	struct cprof_error *error = live_file_open_tables(path, &live, exists);

	if (error || !*exists)
		return error;
	error = copy_blocks(&live, problems);
	if (!error)
		error = copy_filled_again(&live);
	if (error)
		live_file_close(&live);
	else
		*ret = live;
	return error;
}

void live_file_close(struct live_file *live)
{
	for (size_t i = 0; i < live->nr_blocks; i++)
		free(live->blocks[i].words);
	free(live->blocks);
	free(live->header);
	trace_file_close(&live->file);
	*live = (struct live_file){ .file = TRACE_FILE_CLOSED };
}

/* --- tables --- */


/* Those of the extent's records whose number is below last. */
static struct cprof_error *read_extent(struct live_file *live, const struct cprof_extent *extent, uint64_t last, struct table_set *set, uint8_t *buffer)
{
	uint64_t items = extent_items(live, extent, extent->item_bytes), step = TABLE_STEP_BYTES / extent->item_bytes;
	struct cprof_error *error = NULL;

	if (extent->first >= last)
		return NULL;
	if (items > last - extent->first)
		items = last - extent->first;
	for (uint64_t done = 0; done < items && !error; done += step) {
		size_t nr = items - done < step ? (size_t)(items - done) : (size_t)step;

		error = trace_file_read(&live->file, extent->offset + done * extent->item_bytes, buffer, nr * extent->item_bytes);
		if (error)
			break;
		live->bytes_read += nr * extent->item_bytes;
		if (extent->kind == CPROF_EXTENT_CONTEXTS)
			error = table_set_add_contexts(set, extent->first + done, buffer, nr);
		else if (extent->kind == CPROF_EXTENT_MODULES)
			error = table_set_add_modules(set, buffer, nr);
		else if (extent->kind == CPROF_EXTENT_ALLOC)
			error = table_set_add_alloc_rows(set, buffer, nr);
		else
			error = table_set_add_threads(set, buffer, nr);
	}
	return error;
}

static struct cprof_error *read_extents(struct live_file *live, struct table_set *set, uint8_t *buffer)
{
	const struct cprof_live_header *header = live->header;

	for (size_t i = 0; i < CPROF_LIVE_EXTENTS; i++) {
		const struct cprof_extent *extent = &header->extents[i];
		struct cprof_error *error = NULL;

		if (extent->kind == CPROF_EXTENT_CONTEXTS && extent->item_bytes == sizeof(struct cprof_context))
			error = read_extent(live, extent, header->contexts, set, buffer);
		else if (extent->kind == CPROF_EXTENT_MODULES && extent->item_bytes == sizeof(struct cprof_module))
			error = read_extent(live, extent, header->modules, set, buffer);
		else if (extent->kind == CPROF_EXTENT_THREADS && extent->item_bytes == sizeof(struct cprof_thread))
			error = read_extent(live, extent, header->threads, set, buffer);
		else if (extent->kind == CPROF_EXTENT_ALLOC && extent->item_bytes == sizeof(struct cprof_alloc_row))
			error = read_extent(live, extent, UINT64_MAX, set, buffer);
		if (error)
			return error;
	}
	return NULL;
}

struct cprof_error *live_file_read_tables(struct live_file *live, struct table_set *set)
{
	set->unfinished = true;
	struct cprof_error *error = trace_file_refresh(&live->file);
	uint8_t *buffer;

	if (!error)
		error = read_header(live);
	if (error)
		return error;
	buffer = malloc(TABLE_STEP_BYTES);
	if (!buffer)
		return &cprof_enomem;
	error = read_extents(live, set, buffer);
	free(buffer);
	if (!error)
		error = table_set_add_clocks(set, (const uint8_t *)&live->header->first_clock, 1);
	if (!error)
		error = table_set_add_clocks(set, (const uint8_t *)&live->header->last_clock, 1);
	if (!error && live->header->table_losses) {
		struct cprof_loss loss = { .thread = CPROF_NO_THREAD, .reason = CPROF_LOSS_CONTEXT_LIMIT, .events = live->header->table_losses };

		error = table_set_add_losses(set, (const uint8_t *)&loss, 1);
	}
	return error;
}
