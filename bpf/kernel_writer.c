/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_writer.h. */
#include "kernel_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernel_format.h"
#include "record_clock.h"

#define BLOCK_STORED 0x80000000u
enum { PENDING_BYTES = 1 << 20 };

char *kernel_writer_path_of(const char *trace_path)
{
	size_t length = strlen(trace_path);
	static const char suffix[] = ".lz4";
	char *path;

	if (length > strlen(suffix) && strcmp(trace_path + length - strlen(suffix), suffix) == 0)
		length -= strlen(suffix);
	return asprintf(&path, "%.*s.bpf.lz4", (int)length, trace_path) < 0 ? NULL : path;
}

/* Is it empty, or does it begin with a chunk? */
static bool is_trace(int fd)
{
	uint8_t start[CPROF_CHUNK_HEADER_OFFSET + 4];
	uint32_t frame_magic, chunk_magic;
	ssize_t got = pread(fd, start, sizeof start, 0);

	if (got != (ssize_t)sizeof start)
		return got == 0;
	memcpy(&frame_magic, start, sizeof frame_magic);
	memcpy(&chunk_magic, start + CPROF_CHUNK_HEADER_OFFSET, sizeof chunk_magic);
	return frame_magic == CPROF_LZ4_FRAME_MAGIC && chunk_magic == CPROF_CHUNK_MAGIC;
}

static struct cprof_error *remove_older(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct cprof_error *error = NULL;
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? NULL : cprof_error_os(errno, path, "replace");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !is_trace(fd))
		error = cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET,
				       "exists and is not a cprof trace (choose another name with -o)");
	else if (!fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK)
		error = cprof_error_at(CPROF_ERROR_UNSUPPORTED, path, CPROF_NO_OFFSET,
				       "is being written by another cprof-record (choose another name with -o)");
	else if (unlink(path) && errno != ENOENT)
		error = cprof_error_os(errno, path, "replace");
	close(fd);
	return error;
}

struct cprof_error *kernel_writer_open(const char *path, struct kernel_writer *ret)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct cprof_error *error = remove_older(path);

	if (error)
		return error;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600); /* it says much about the system */
	if (fd < 0)
		return cprof_error_os(errno, path, "create");
	*ret = (struct kernel_writer) { .path = strdup(path), .fd = fd };
	fcntl(fd, F_OFD_SETLK, &lock);
	return ret->path ? NULL : &cprof_enomem;
}

void kernel_writer_deinit(struct kernel_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	for (size_t i = 0; i < KERNEL_WRITER_KINDS; i++)
		bytes_deinit(&writer->pending[i]);
	bytes_deinit(&writer->entries);
	bytes_deinit(&writer->frame);
	free(writer->path);
	cprof_error_free(writer->failed);
	*writer = (struct kernel_writer) { .fd = -1 };
}

static void fail(struct kernel_writer *writer, struct cprof_error *error)
{
	if (writer->failed)
		cprof_error_free(error);
	else
		writer->failed = error;
}

/* A file that ends in half a frame costs a reader a message: what went out of an unfinished frame is taken back. */
static void put(struct kernel_writer *writer, const void *data, size_t nr_bytes)
{
	const uint8_t *from = data;
	size_t done = 0;

	while (done < nr_bytes) {
		ssize_t written = write(writer->fd, from + done, nr_bytes - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			fail(writer, cprof_error_os(written ? errno : EIO, writer->path, "write"));
			if (ftruncate(writer->fd, (off_t)writer->offset))
				return;
			return;
		}
		done += (size_t)written;
	}
	writer->offset += nr_bytes;
}

static bool add_u32(struct bytes *bytes, uint32_t value)
{
	return bytes_add(bytes, &value, sizeof value);
}

static bool add_stored(struct bytes *frame, const void *data, uint32_t nr_bytes)
{
	return add_u32(frame, nr_bytes | BLOCK_STORED) && bytes_add(frame, data, nr_bytes) && add_u32(frame, XXH32(data, nr_bytes, 0));
}

static bool add_packed(struct bytes *frame, const void *data, uint32_t nr_bytes)
{
	int bound = LZ4_compressBound((int)nr_bytes);
	size_t at = frame->used;

	if (!vec_reserve(&frame->data, &frame->capacity, at + 8 + (size_t)bound, 1))
		return false;
	int packed = LZ4_compress_default(data, (char *)frame->data + at + 4, (int)nr_bytes, bound);
	uint32_t size = (uint32_t)packed;

	if (packed <= 0 || size >= nr_bytes)
		return add_stored(frame, data, nr_bytes);
	memcpy(frame->data + at, &size, sizeof size);
	frame->used = at + 4 + size;
	return add_u32(frame, XXH32(frame->data + at + 4, size, 0));
}

static bool make_frame(struct bytes *frame, const struct cprof_chunk_header *header, const void *payload, size_t payload_bytes)
{
	uint64_t content_bytes = sizeof *header + payload_bytes;
	uint8_t descriptor[10] = { CPROF_LZ4_FLG, CPROF_LZ4_BD };
	XXH32_state_t content;

	memcpy(descriptor + 2, &content_bytes, sizeof content_bytes);
	uint8_t check = (uint8_t)(XXH32(descriptor, sizeof descriptor, 0) >> 8);

	XXH32_reset(&content, 0);
	XXH32_update(&content, header, sizeof *header);
	if (payload_bytes)
		XXH32_update(&content, payload, payload_bytes);
	bytes_clear(frame);
	bool made = add_u32(frame, CPROF_LZ4_FRAME_MAGIC) && bytes_add(frame, descriptor, sizeof descriptor) &&
		    bytes_add(frame, &check, 1) && add_stored(frame, header, sizeof *header);

	if (payload_bytes && header->kind == CPROF_CHUNK_META) /* read by others without decompressing */
		made = made && add_stored(frame, payload, (uint32_t)payload_bytes);
	else if (payload_bytes)
		made = made && add_packed(frame, payload, (uint32_t)payload_bytes);
	return made && add_u32(frame, 0) && add_u32(frame, XXH32_digest(&content));
}

void kernel_writer_chunk(struct kernel_writer *writer, const struct cprof_chunk_header *given, const void *payload, size_t payload_bytes)
{
	struct cprof_chunk_header header = *given;
	struct cprof_index_entry entry = { .offset = writer->offset,
					   .first_tsc = header.first_tsc,
					   .last_tsc = header.last_tsc,
					   .thread = header.thread,
					   .kind = header.kind };

	if (writer->failed || writer->fd < 0)
		return;
	header.magic = CPROF_CHUNK_MAGIC;
	header.version = CPROF_FORMAT_VERSION;
	header.payload_bytes = payload_bytes;
	if (!make_frame(&writer->frame, &header, payload, payload_bytes)) {
		fail(writer, &cprof_enomem);
		return;
	}
	entry.frame_bytes = writer->frame.used;
	put(writer, writer->frame.data, writer->frame.used);
	if (!writer->failed && !bytes_add(&writer->entries, &entry, sizeof entry))
		fail(writer, &cprof_enomem);
}

/* Records of fixed size; 0: they differ. */
static size_t record_bytes(uint32_t kind)
{
	switch (kind) {
#define CPROF_X(name, type) \
	case CPROF_CHUNK_##name: \
		return sizeof(struct type);
	CPROF_KERNEL_ARRAYS(CPROF_X)
#undef CPROF_X
	default:
		return 0;
	}
}

static uint32_t count_records(uint32_t kind, const struct bytes *pending)
{
	size_t each = record_bytes(kind);
	uint32_t records = 0;

	if (each)
		return (uint32_t)(pending->used / each);
	for (size_t at = 0; at < pending->used; records++) {
		if (kind == CPROF_CHUNK_KERNEL_STACKS) {
			struct cprof_kernel_stack stack;

			memcpy(&stack, pending->data + at, sizeof stack);
			at += sizeof stack + stack.count * sizeof(uint64_t);
		} else if (kind == CPROF_CHUNK_KERNEL_FILES) {
			struct cprof_kernel_file file;

			memcpy(&file, pending->data + at, sizeof file);
			at += sizeof file + ((file.path_bytes + 7) & ~7u);
		} else {
			return 1;
		}
	}
	return records;
}

static void put_pending(struct kernel_writer *writer, uint32_t kind, uint64_t now_ns)
{
	struct bytes *pending = &writer->pending[kind];
	struct cprof_chunk_header header = { .kind = (uint16_t)kind,
					     .thread = CPROF_NO_THREAD,
					     .first_tsc = writer->window_start_ns,
					     .last_tsc = now_ns,
					     .items = count_records(kind, pending) };

	if (!pending->used)
		return;
	writer->records += header.items;
	kernel_writer_chunk(writer, &header, pending->data, pending->used);
	bytes_clear(pending);
}

void kernel_writer_add(struct kernel_writer *writer, uint32_t kind, const void *record, size_t bytes)
{
	struct bytes *pending = &writer->pending[kind];

	if (pending->used + bytes > PENDING_BYTES)
		put_pending(writer, kind, record_clock_ns(CLOCK_MONOTONIC));
	if (!bytes_add(pending, record, bytes))
		fail(writer, &cprof_enomem);
}

void kernel_writer_flush(struct kernel_writer *writer, uint64_t now_ns)
{
	for (uint32_t kind = 0; kind < KERNEL_WRITER_KINDS; kind++)
		put_pending(writer, kind, now_ns);
	writer->window_start_ns = now_ns;
}

static void put_index(struct kernel_writer *writer)
{
	struct cprof_index_head head = { CPROF_INDEX_TAG, 1, writer->entries.used / sizeof(struct cprof_index_entry) };
	struct cprof_index_tail tail = { .tag = CPROF_INDEX_TAG };
	struct bytes *out = &writer->frame;
	uint64_t bytes = sizeof head + writer->entries.used + sizeof tail;

	if (writer->failed || bytes > UINT32_MAX) /* a reader scans */
		return;
	tail.payload_bytes = (uint32_t)bytes;
	bytes_clear(out);
	if (!add_u32(out, CPROF_INDEX_MAGIC) || !add_u32(out, tail.payload_bytes) || !bytes_add(out, &head, sizeof head) ||
	    !bytes_add(out, writer->entries.data, writer->entries.used)) {
		fail(writer, &cprof_enomem);
		return;
	}
	tail.xxh32 = XXH32(out->data + 8, out->used - 8, 0);
	if (bytes_add(out, &tail, sizeof tail))
		put(writer, out->data, out->used);
}

struct cprof_error *kernel_writer_finish(struct kernel_writer *writer, uint64_t now_ns)
{
	struct cprof_error *failed;

	kernel_writer_flush(writer, now_ns);
	put_index(writer);
	failed = writer->failed;
	writer->failed = NULL;
	return failed;
}
