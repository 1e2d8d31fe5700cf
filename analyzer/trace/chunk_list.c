/* SPDX-License-Identifier: BSD-2-Clause */
/* Index and scan; see chunk_list.h and docs/trace-format.md 2.3 and 2.4. */
#include "chunk_list.h"

#include <inttypes.h>
#include <string.h>

#include "vec.h"

enum { SEARCH_WINDOW = 1 << 16 };

void chunk_list_deinit(struct chunk_list *list)
{
	free(list->places);
	*list = (struct chunk_list){ 0 };
}

static struct cprof_error *add_place(struct chunk_list *list, struct chunk_place place)
{
	if (!vec_reserve(&list->places, &list->capacity, list->nr + 1, sizeof place))
		return &cprof_enomem;
	list->places[list->nr++] = place;
	return NULL;
}

/* The index frame's payload, checked against its tail; NULL in *ret when it is not one. */
static struct cprof_error *load_index(const struct trace_file *file, uint8_t **ret, uint64_t *ret_count, uint64_t *ret_offset)
{
	struct cprof_index_head head;
	struct cprof_index_tail tail;
	struct cprof_error *error;
	uint32_t frame[2];

	*ret = NULL;
	if (file->bytes < sizeof frame + sizeof head + sizeof tail)
		return NULL;
	error = trace_file_read(file, file->bytes - sizeof tail, &tail, sizeof tail);
	if (error)
		return error;
	if (tail.tag != CPROF_INDEX_TAG || tail.payload_bytes < sizeof head + sizeof tail || tail.payload_bytes > file->bytes - sizeof frame)
		return NULL;
	*ret_offset = file->bytes - tail.payload_bytes - sizeof frame;
	error = trace_file_read(file, *ret_offset, frame, sizeof frame);
	if (error)
		return error;
	if (frame[0] != CPROF_INDEX_MAGIC || frame[1] != tail.payload_bytes)
		return NULL;

	uint8_t *payload = malloc(tail.payload_bytes);
	size_t hashed_bytes = tail.payload_bytes - sizeof tail;

	if (!payload)
		return &cprof_enomem;
	error = trace_file_read(file, *ret_offset + sizeof frame, payload, tail.payload_bytes);
	if (error) {
		free(payload);
		return error;
	}
	memcpy(&head, payload, sizeof head);
	if (head.tag != CPROF_INDEX_TAG || head.version != 1 || (hashed_bytes - sizeof head) % sizeof(struct cprof_index_entry) ||
	    head.count != (hashed_bytes - sizeof head) / sizeof(struct cprof_index_entry) || !frame_hash_matches(payload, hashed_bytes, tail.xxh32)) {
		free(payload);
		return NULL;
	}
	*ret = payload;
	*ret_count = head.count;
	return NULL;
}

struct cprof_error *chunk_list_read_index(const struct trace_file *file, struct chunk_list *ret, bool *valid)
{
	struct chunk_list list = { .from_index = true, .index_seen = true };
	uint64_t count = 0, index_offset = 0, end = 0;
	struct cprof_error *error;
	uint8_t *payload;

	*valid = false;
	error = load_index(file, &payload, &count, &index_offset);
	if (error || !payload)
		return error;
	for (uint64_t i = 0; i < count && !error; i++) {
		struct cprof_index_entry entry;

		memcpy(&entry, payload + sizeof(struct cprof_index_head) + i * sizeof entry, sizeof entry);
		if (entry.offset != end || entry.frame_bytes > index_offset - end)
			break;
		end += entry.frame_bytes;
		error = add_place(&list, (struct chunk_place){ .offset = entry.offset, .frame_bytes = entry.frame_bytes, .sequence = entry.sequence,
							       .first_tsc = entry.first_tsc, .last_tsc = entry.last_tsc, .thread = entry.thread,
							       .kind = entry.kind });
	}
	free(payload);
	if (error || list.nr != count || end != index_offset) { /* chunks it does not name would be overlooked */
		chunk_list_deinit(&list);
		return error;
	}
	*ret = list;
	*valid = true;
	return NULL;
}

/* The next offset from which a chunk can be read, or the end of the file. A frame that is cut but has a sound header counts. */
static struct cprof_error *find_frame(const struct trace_file *file, uint64_t from, uint64_t *ret)
{
	static const uint8_t magic[4] = { 0x04, 0x22, 0x4D, 0x18 };
	uint8_t *window = malloc(SEARCH_WINDOW < file->bytes ? SEARCH_WINDOW : file->bytes);
	struct cprof_error *error = NULL;

	if (!window)
		return &cprof_enomem;
	*ret = file->bytes;
	while (file->bytes - from >= sizeof magic) {
		size_t bytes = file->bytes - from < SEARCH_WINDOW ? (size_t)(file->bytes - from) : SEARCH_WINDOW;
		const uint8_t *at = window;

		error = trace_file_read(file, from, window, bytes);
		while (!error && (at = memmem(at, bytes - (size_t)(at - window), magic, sizeof magic))) {
			uint64_t offset = from + (uint64_t)(at - window);
			enum frame_status status;
			struct frame frame;
			const char *why;

			error = frame_probe(file, offset, &status, &frame, &why);
			if (!error && (status == FRAME_OK || (status == FRAME_CUT && frame.frame_bytes))) {
				*ret = offset;
				free(window);
				return NULL;
			}
			at++;
		}
		if (error)
			break;
		from += bytes - (sizeof magic - 1); /* one that straddles the windows */
		if (bytes < SEARCH_WINDOW)
			break;
	}
	free(window);
	return error;
}

static struct cprof_error *scan(const struct trace_file *file, struct problems *problems, struct chunk_list *list)
{
	uint64_t offset = 0;

	while (offset < file->bytes) {
		enum frame_status status;
		struct frame frame;
		const char *why;
		uint64_t next;
		struct cprof_error *error = frame_probe(file, offset, &status, &frame, &why);

		if (!error && status == FRAME_OK)
			error = add_place(list, (struct chunk_place){ offset, frame.frame_bytes, frame.header.sequence, frame.header.first_tsc,
								      frame.header.last_tsc, frame.header.thread, frame.header.kind,
								      frame.header.version });
		if (error)
			return error;
		if (status == FRAME_OK || status == FRAME_SKIPPABLE) {
			uint32_t magic = 0;

			if (status == FRAME_SKIPPABLE)
				error = trace_file_read(file, offset, &magic, sizeof magic);
			if (error)
				return error;
			list->index_seen |= magic == CPROF_INDEX_MAGIC;
			offset += frame.frame_bytes;
			continue;
		}
		error = find_frame(file, offset + 1, &next);
		if (error)
			return error;
		if (next < file->bytes || status == FRAME_BAD) {
			list->damaged_bytes += next - offset;
			error = problems_add(problems, PROBLEM_AT(FINDING_DAMAGE, offset), "%s; %" PRIu64 " bytes skipped",
					     status == FRAME_BAD ? why : "length of a chunk's payload makes no sense", next - offset);
			if (error)
				return error;
		} else {
			list->cut_offset = offset;
			list->cut_bytes = next - offset;
		}
		offset = next;
	}
	return NULL;
}

struct cprof_error *chunk_list_make(const struct trace_file *file, struct problems *problems, struct chunk_list *ret)
{
	struct chunk_list list = { 0 };
	bool valid;
	struct cprof_error *error = chunk_list_read_index(file, &list, &valid);

	if (error)
		return error;
	if (!valid) {
		error = scan(file, problems, &list);
		if (error) {
			chunk_list_deinit(&list);
			return error;
		}
	}
	*ret = list;
	return NULL;
}
