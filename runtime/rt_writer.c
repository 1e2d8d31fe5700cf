/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "rt_config.h"
#include "rt_file.h"
#include "rt_live.h"
#include "rt_status.h"
#include "rt_sys.h"

enum { FRAME_OVERHEAD = 15 + 4 + 64 + 4 + 4 + 4 + 4 + 4, INDEX_FIRST = 4096 };

static struct {
	char path[RT_PATH_MAX];
	long fd;
	uint64_t device, inode;
	uint64_t bytes;             /* of the file; guarded by lock */
	uint64_t event_chunks;      /* guarded by lock */
	struct cprof_index_entry *index; /* guarded by lock */
	uint64_t index_count, index_capacity;
	bool index_incomplete;      /* no memory for it: the trace ends without, and readers scan */
	_Atomic uint32_t lock;
	bool failed;                /* guarded by lock; nothing is written after what could not be */
} writer = { .fd = -1 };

static void writer_lock(void)
{
	uint32_t no = 0;

	while (!atomic_compare_exchange_weak_explicit(&writer.lock, &no, 1, memory_order_acquire, memory_order_relaxed)) {
		no = 0;
		rt_yield();
	}
}

static void writer_unlock(void)
{
	atomic_store_explicit(&writer.lock, 0, memory_order_release);
}

const char *rt_writer_path(void)
{
	return writer.path;
}

uint64_t rt_writer_event_chunks(void)
{
	return writer.event_chunks;
}

/* Is the file another writer's, still at work? Its lock says so; it goes with the last descriptor. */
static bool is_locked(long fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !rt_sys(SYS_fcntl, fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* As long as the descriptor lives. false: another has it. */
static bool lock_file(long fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return rt_sys(SYS_fcntl, fd, F_OFD_SETLK, &lock) != -EAGAIN; /* a file system without locks: as if we had it */
}

/*
 * Removes an older run's trace. Under its lock, since a process that starts at the same moment may have made it just now: who makes a trace locks it and
 * then looks whether it is still there.
 */
static bool remove_older(long fd, const char *path)
{
	uint64_t device, inode;

	if (!lock_file(fd))
		return false;
	if (rt_file_identity(fd, &device, &inode) && rt_file_is(path, device, inode))
		rt_sys(SYS_unlinkat, AT_FDCWD, path, 0);
	return true;
}

enum found { FOUND_NOTHING, FOUND_OLDER, FOUND_OTHERS /* at work, or of the same session */, FOUND_OWN_IMAGE, FOUND_FOREIGN };

/* What is at path? FOUND_OLDER: it was an older run's, and has been removed. A trace begins with a META chunk whose fixed part may be read without decompressing when it was stored; ours is. */
static enum found look_at(const char *path, const struct cprof_meta *mine, struct cprof_meta *its)
{
	struct {
		uint8_t frame[CPROF_CHUNK_HEADER_OFFSET];
		struct cprof_chunk_header header;
		uint32_t checksum, block_bytes;
		struct cprof_meta meta;
	} __attribute__((packed)) start;
	long fd = rt_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	enum found found = FOUND_FOREIGN;
	struct stat st;

	if (fd == -ENOENT)
		return FOUND_NOTHING;
	if (fd < 0)
		return FOUND_FOREIGN;
	if (!rt_sys(SYS_fstat, fd, &st) && S_ISREG(st.st_mode)) {
		if (is_locked(fd))
			found = FOUND_OTHERS;
		else if (!st.st_size)
			found = FOUND_OLDER;
		else if (rt_sys(SYS_pread64, fd, &start, sizeof start, 0) == sizeof start && start.header.magic == CPROF_CHUNK_MAGIC &&
			 start.header.kind == CPROF_CHUNK_META) {
			*its = start.meta;
			found = FOUND_OLDER;
			if (!(start.block_bytes >> 31))
				; /* packed: not of ours */
			else if (start.meta.pid == mine->pid && start.meta.process_start_ticks == mine->process_start_ticks &&
				 !__builtin_memcmp(start.meta.boot_id, mine->boot_id, sizeof mine->boot_id))
				found = FOUND_OWN_IMAGE;
			else if (!__builtin_memcmp(start.meta.session, mine->session, sizeof mine->session))
				found = FOUND_OTHERS; /* a fork's other half, which began before us */
		}
	}
	if (found == FOUND_OLDER && !remove_older(fd, path))
		found = FOUND_OTHERS;
	rt_sys(SYS_close, fd);
	return found;
}

/* "dir/trace.lz4" -> "dir/trace.123.lz4", with n > 0 "dir/trace.123.1.lz4" */
static void name_beside(char *out, uint64_t pid, uint32_t n)
{
	const char *path = rt_config.output;
	size_t base = 0, dot = 0, length = rt_text_length(path);

	for (size_t i = 0; i < length; i++) {
		if (path[i] == '/') {
			base = i + 1;
			dot = 0;
		} else if (path[i] == '.' && i > base) {
			dot = i;
		}
	}
	if (!dot)
		dot = length;
	__builtin_memcpy(out, path, dot);
	out[dot] = 0;
	size_t at = rt_text_append(out, dot, RT_PATH_MAX, ".");
	at = rt_text_append_number(out, at, RT_PATH_MAX, pid);
	if (n) {
		at = rt_text_append(out, at, RT_PATH_MAX, ".");
		at = rt_text_append_number(out, at, RT_PATH_MAX, n);
	}
	rt_text_append(out, at, RT_PATH_MAX, path + dot);
}

int rt_writer_open(bool beside, struct cprof_meta *meta)
{
	struct cprof_meta its;
	uint32_t n = 0;

	writer.bytes = writer.event_chunks = writer.index_count = 0;
	writer.index_incomplete = writer.failed = false;
	rt_text_append(writer.path, 0, sizeof writer.path, rt_config.output);
	if (beside)
		name_beside(writer.path, meta->pid, 0);
	for (int tries = 0; tries < 1000; tries++) {
		writer.fd = rt_file_open_new(writer.path, O_RDWR | O_APPEND);
		if (writer.fd >= 0) {
			if (!rt_file_identity(writer.fd, &writer.device, &writer.inode)) {
				rt_sys(SYS_unlinkat, AT_FDCWD, writer.path, 0);
				rt_sys(SYS_close, writer.fd);
				rt_fail("ask for the identity of", writer.path, EIO, "nothing is recorded");
				return -EIO;
			}
			if (lock_file(writer.fd) && rt_file_is(writer.path, writer.device, writer.inode))
				return 0;
			rt_sys(SYS_close, writer.fd); /* taken for an older run's: it is gone, or will be in a moment */
			writer.fd = -1;
			rt_yield();
			continue;
		}
		if (writer.fd != -EEXIST && writer.fd != -ELOOP) {
			rt_fail("create", writer.path, (int)-writer.fd, "nothing is recorded (set CPROF_OUTPUT to a writable place)");
			return (int)writer.fd;
		}
		switch (look_at(writer.path, meta, &its)) {
		case FOUND_NOTHING: /* gone meanwhile */
		case FOUND_OLDER:
			break;
		case FOUND_OWN_IMAGE: /* I am its exec */
			if (its.generation >= meta->generation)
				meta->generation = its.generation + 1;
			__builtin_memcpy(meta->session, its.session, sizeof its.session);
			__attribute__((fallthrough));
		case FOUND_OTHERS:
			name_beside(writer.path, meta->pid, n++);
			break;
		case FOUND_FOREIGN:
			rt_fail("write", writer.path, 0, "it exists and is not a cprof trace; nothing is recorded (set CPROF_OUTPUT)");
			return -EEXIST;
		}
	}
	rt_fail("find a free name beside", rt_config.output, 0, "nothing is recorded");
	return -EEXIST;
}

size_t rt_frame_buffer_bytes(size_t payload_bytes)
{
	return FRAME_OVERHEAD + (size_t)LZ4_COMPRESSBOUND(payload_bytes);
}

static uint8_t *put32(uint8_t *out, uint32_t value)
{
	__builtin_memcpy(out, &value, 4);
	return out + 4;
}

/* The whole frame in frame->bytes; returns its size. */
static size_t frame_build(struct rt_frame_buffer *frame, const struct cprof_chunk_header *header, const void *payload, size_t payload_bytes)
{
	uint64_t content_bytes = sizeof *header + payload_bytes;
	uint8_t *out = frame->bytes;
	XXH32_state_t content;

	XXH32_reset(&content, 0);
	XXH32_update(&content, header, sizeof *header);
	out = put32(out, CPROF_LZ4_FRAME_MAGIC);
	*out++ = CPROF_LZ4_FLG;
	*out++ = CPROF_LZ4_BD;
	__builtin_memcpy(out, &content_bytes, 8);
	out += 8;
	*out = (uint8_t)(XXH32(frame->bytes + 4, 10, 0) >> 8);
	out++;
	out = put32(out, 1u << 31 | sizeof *header);
	__builtin_memcpy(out, header, sizeof *header);
	out += sizeof *header;
	out = put32(out, XXH32(header, sizeof *header, 0));
	if (payload_bytes) {
		/* META stays stored: the next run reads it before it decides about the name. */
		int packed = header->kind == CPROF_CHUNK_META ? 0
			   : LZ4_compress_fast_extState(frame->lz4_state, payload, (char *)out + 4, (int)payload_bytes,
							(int)(frame->capacity - FRAME_OVERHEAD), 1);

		if (packed <= 0 || (size_t)packed >= payload_bytes) {
			put32(out, 1u << 31 | (uint32_t)payload_bytes);
			__builtin_memcpy(out + 4, payload, payload_bytes);
			packed = (int)payload_bytes;
		} else {
			put32(out, (uint32_t)packed);
		}
		uint32_t checksum = XXH32(out + 4, (size_t)packed, 0);
		out = put32(out + 4 + packed, checksum);
		XXH32_update(&content, payload, payload_bytes);
	}
	out = put32(out, 0);
	out = put32(out, XXH32_digest(&content));
	return (size_t)(out - frame->bytes);
}

static void index_add(const struct cprof_chunk_header *header, uint64_t offset, uint64_t bytes)
{
	if (writer.index_count == writer.index_capacity) {
		uint64_t capacity = writer.index_capacity ? writer.index_capacity * 2 : INDEX_FIRST;
		struct cprof_index_entry *bigger = rt_memory_reserve(capacity * sizeof *bigger);

		if (!bigger || writer.index_incomplete) {
			writer.index_incomplete = true;
			rt_memory_release(bigger, capacity * sizeof *bigger);
			return;
		}
		if (writer.index_count)
			__builtin_memcpy(bigger, writer.index, writer.index_count * sizeof *bigger);
		struct cprof_index_entry *old = writer.index;
		uint64_t old_bytes = writer.index_capacity * sizeof *bigger;

		writer.index = bigger;
		writer.index_capacity = capacity;
		rt_memory_release(old, old_bytes);
	}
	writer.index[writer.index_count++] = (struct cprof_index_entry){ .offset = offset, .frame_bytes = bytes, .first_tsc = header->first_tsc,
									 .last_tsc = header->last_tsc, .sequence = header->sequence,
									 .thread = header->thread, .kind = header->kind };
}

/* A daemon may have closed our descriptor, and somebody may have its number now. */
static bool descriptor_check(void)
{
	if (rt_file_fd_is(writer.fd, writer.device, writer.inode))
		return true;
	writer.fd = rt_file_reopen(writer.path, O_RDWR | O_APPEND, writer.device, writer.inode);
	if (writer.fd >= 0) {
		lock_file(writer.fd);
		return true;
	}
	rt_fail("go on writing", writer.path, EBADF, "recording ends here; cprof-analyze reads what was written so far");
	return false;
}

static bool append(const void *data, size_t bytes)
{
	size_t written;
	long error;

	if (writer.failed)
		return false;
	writer.failed = true;
	if (!descriptor_check())
		return false;
	error = rt_file_write(writer.fd, data, bytes, &written);
	if (!error) {
		writer.failed = false;
		return true;
	}
	rt_sys(SYS_ftruncate, writer.fd, writer.bytes); /* leave whole frames only */
	rt_fail("write", writer.path, (int)-error, "recording ends here; cprof-analyze reads what was written so far");
	return false;
}

bool rt_writer_chunk(struct rt_frame_buffer *frame, const struct cprof_chunk_header *header, const void *payload, size_t payload_bytes)
{
	struct cprof_chunk_header full = *header;
	bool ok;

	full.magic = CPROF_CHUNK_MAGIC;
	full.version = CPROF_FORMAT_VERSION;
	full.payload_bytes = payload_bytes;
	size_t bytes = frame_build(frame, &full, payload, payload_bytes);
	writer_lock();
	ok = append(frame->bytes, bytes);
	if (ok) {
		index_add(&full, writer.bytes, bytes);
		writer.bytes += bytes;
		writer.event_chunks += full.kind == CPROF_CHUNK_EVENTS;
		__atomic_store_n(&rt_live.header->trace_bytes, writer.bytes, __ATOMIC_RELEASE);
	}
	writer_unlock();
	return ok;
}

bool rt_writer_index(void)
{
	struct cprof_index_head head = { CPROF_INDEX_TAG, 1, writer.index_count };
	struct cprof_index_tail tail = { 0, 0, CPROF_INDEX_TAG };
	uint64_t entries = writer.index_count * sizeof *writer.index;
	XXH32_state_t hash;
	bool ok;

	tail.payload_bytes = (uint32_t)(sizeof head + entries + sizeof tail);
	if (writer.index_incomplete || sizeof head + entries + sizeof tail > UINT32_MAX)
		return true; /* no index: readers scan */
	XXH32_reset(&hash, 0);
	XXH32_update(&hash, &head, sizeof head);
	XXH32_update(&hash, writer.index, entries);
	tail.xxh32 = XXH32_digest(&hash);
	struct { uint32_t magic, bytes; } skippable = { CPROF_INDEX_MAGIC, tail.payload_bytes };
	writer_lock();
	ok = append(&skippable, sizeof skippable) && append(&head, sizeof head) && append(writer.index, entries) && append(&tail, sizeof tail);
	writer_unlock();
	return ok;
}

void rt_writer_close(void)
{
	rt_file_close(writer.fd, writer.device, writer.inode);
	writer.fd = -1;
}

void rt_writer_remove(void)
{
	if (rt_file_is(writer.path, writer.device, writer.inode))
		rt_sys(SYS_unlinkat, AT_FDCWD, writer.path, 0);
	rt_writer_close();
}

void rt_writer_drop_file(void)
{
	rt_file_close(writer.fd, writer.device, writer.inode);
	writer.fd = -1;
}

void rt_writer_forget(void)
{
	rt_writer_close();
	atomic_store(&writer.lock, 0);
	writer.index_count = 0;
}
