/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and index to a file; see chunk_writer.h and docs/trace-format.md section 2. */
#include "chunk_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define BLOCK_STORED 0x80000000u

struct cprof_error *chunk_writer_open(const char *path, struct chunk_writer *ret)
{
	struct chunk_writer writer = { .path = strdup(path) };
	int fd;

	if (!writer.path || asprintf(&writer.temporary_path, "%s.XXXXXX", path) < 0) {
		free(writer.path);
		return &cprof_enomem;
	}
	fd = mkostemp(writer.temporary_path, O_CLOEXEC); /* mode 0600: a trace says much about its program */
	writer.file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!writer.file) {
		struct cprof_error *error = cprof_error_os(errno, path, "write");

		if (fd >= 0)
			close(fd);
		chunk_writer_close(&writer);
		return error;
	}
	*ret = writer;
	return NULL;
}

void chunk_writer_close(struct chunk_writer *writer)
{
	if (writer->file) {
		fclose(writer->file);
		unlink(writer->temporary_path);
	}
	free(writer->path);
	free(writer->temporary_path);
	bytes_deinit(&writer->entries);
	bytes_deinit(&writer->content);
	bytes_deinit(&writer->packed);
	*writer = (struct chunk_writer){ .file = NULL };
}

static struct cprof_error *put(struct chunk_writer *writer, const void *data, size_t nr_bytes)
{
	if (nr_bytes && fwrite(data, 1, nr_bytes, writer->file) != nr_bytes)
		return cprof_error_os(errno, writer->path, "write");
	writer->offset += nr_bytes;
	return NULL;
}

struct cprof_error *chunk_writer_copy(struct chunk_writer *writer, const struct cprof_chunk_header *header, const void *frame, size_t frame_bytes)
{
	struct cprof_index_entry entry = { .offset = writer->offset, .frame_bytes = frame_bytes, .first_tsc = header->first_tsc,
					   .last_tsc = header->last_tsc, .sequence = header->sequence, .thread = header->thread,
					   .kind = header->kind };

	if (!bytes_add(&writer->entries, &entry, sizeof entry))
		return &cprof_enomem;
	return put(writer, frame, frame_bytes);
}

static bool add_u32(struct bytes *bytes, uint32_t value)
{
	return bytes_add(bytes, &value, sizeof value);
}

static bool add_frame_header(struct bytes *frame, uint64_t content_bytes)
{
	uint8_t descriptor[10] = { CPROF_LZ4_FLG, CPROF_LZ4_BD };

	memcpy(descriptor + 2, &content_bytes, sizeof content_bytes);
	uint8_t check = (uint8_t)(XXH32(descriptor, sizeof descriptor, 0) >> 8);

	return add_u32(frame, CPROF_LZ4_FRAME_MAGIC) && bytes_add(frame, descriptor, sizeof descriptor) && bytes_add(frame, &check, 1);
}

static bool add_stored_block(struct bytes *frame, const uint8_t *data, uint32_t nr_bytes)
{
	return add_u32(frame, nr_bytes | BLOCK_STORED) && bytes_add(frame, data, nr_bytes) && add_u32(frame, XXH32(data, nr_bytes, 0));
}

static bool add_packed_block(struct bytes *frame, const uint8_t *data, uint32_t nr_bytes)
{
	size_t size_at = frame->used;
	int bound = LZ4_compressBound((int)nr_bytes);

	if (!vec_reserve(&frame->data, &frame->capacity, frame->used + 4 + (size_t)bound + 4, 1))
		return false;
	uint8_t *block = frame->data + size_at + 4;
	int packed = LZ4_compress_default((const char *)data, (char *)block, (int)nr_bytes, bound);

	if (packed <= 0 || (uint32_t)packed >= nr_bytes)
		return add_stored_block(frame, data, nr_bytes);
	uint32_t size = (uint32_t)packed;

	memcpy(frame->data + size_at, &size, sizeof size);
	frame->used += sizeof size + size;
	return add_u32(frame, XXH32(frame->data + size_at + 4, size, 0));
}

struct cprof_error *chunk_writer_add(struct chunk_writer *writer, const struct cprof_chunk_header *given, const void *payload, size_t payload_bytes)
{
	struct cprof_chunk_header header = *given;
	struct bytes *content = &writer->content, *frame = &writer->packed;

	header.magic = CPROF_CHUNK_MAGIC;
	header.version = CPROF_FORMAT_VERSION;
	header.payload_bytes = payload_bytes;
	bytes_clear(content);
	bytes_clear(frame);
	bool made = bytes_add(content, &header, sizeof header) && bytes_add(content, payload, payload_bytes) &&
		    add_frame_header(frame, content->used) && add_stored_block(frame, content->data, sizeof header);

	if (made && payload_bytes)
		made = add_packed_block(frame, content->data + sizeof header, (uint32_t)payload_bytes);
	made = made && add_u32(frame, 0) && add_u32(frame, XXH32(content->data, content->used, 0));
	return made ? chunk_writer_copy(writer, &header, frame->data, frame->used) : &cprof_enomem;
}

static struct cprof_error *put_index(struct chunk_writer *writer)
{
	struct cprof_index_head head = { CPROF_INDEX_TAG, 1, writer->entries.used / sizeof(struct cprof_index_entry) };
	struct cprof_index_tail tail = { .tag = CPROF_INDEX_TAG };
	struct bytes *payload = &writer->content;
	uint64_t bytes = sizeof head + writer->entries.used + sizeof tail;

	if (bytes > UINT32_MAX) /* a reader scans */
		return NULL;
	tail.payload_bytes = (uint32_t)bytes;
	bytes_clear(payload);
	if (!add_u32(payload, CPROF_INDEX_MAGIC) || !add_u32(payload, tail.payload_bytes) || !bytes_add(payload, &head, sizeof head) ||
	    !bytes_add(payload, writer->entries.data, writer->entries.used))
		return &cprof_enomem;
	tail.xxh32 = XXH32(payload->data + 8, payload->used - 8, 0);
	if (!bytes_add(payload, &tail, sizeof tail))
		return &cprof_enomem;
	return put(writer, payload->data, payload->used);
}

struct cprof_error *chunk_writer_finish(struct chunk_writer *writer)
{
	struct cprof_error *error = put_index(writer);

	if (error)
		return error;
	if (fflush(writer->file) || fsync(fileno(writer->file)))
		return cprof_error_os(errno, writer->path, "write");
	if (rename(writer->temporary_path, writer->path))
		return cprof_error_os(errno, writer->path, "write");
	FILE *file = writer->file;

	writer->file = NULL;
	return fclose(file) ? cprof_error_os(errno, writer->path, "write") : NULL;
}
