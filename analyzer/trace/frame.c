/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing and decompressing one frame; see frame.h. Offsets within a frame are those of docs/trace-format.md 2.1. */
#include "frame.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vec.h"

enum {
	CONTENT_BYTES_AT = 6,
	DESCRIPTOR_AT = 4,
	DESCRIPTOR_BYTES = 10,
	HEADER_AT = CPROF_CHUNK_HEADER_OFFSET,
	HEADER_BYTES = sizeof(struct cprof_chunk_header),
	HEADER_HASH_AT = HEADER_AT + HEADER_BYTES,
	NEXT_BLOCK_AT = HEADER_HASH_AT + 4, /* size of the payload's block, or the end mark */
	PAYLOAD_AT = NEXT_BLOCK_AT + 4,
	TRAILER_BYTES = 8,                  /* end mark and content checksum */
	HEAD_BYTES = PAYLOAD_AT,
	EMPTY_FRAME_BYTES = NEXT_BLOCK_AT + TRAILER_BYTES,
};

#define BLOCK_STORED 0x80000000u

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

bool frame_hash_matches(const void *data, size_t nr_bytes, uint32_t expected)
{
#ifdef CPROF_FUZZ_NO_CHECKSUMS /* else a fuzzer sees nothing but wrong checksums */
	(void)data, (void)nr_bytes, (void)expected;
	return true;
#else
	return XXH32(data, nr_bytes, 0) == expected;
#endif
}

static bool descriptor_hash_matches(const uint8_t *head)
{
#ifdef CPROF_FUZZ_NO_CHECKSUMS
	(void)head;
	return true;
#else
	return ((XXH32(head + DESCRIPTOR_AT, DESCRIPTOR_BYTES, 0) >> 8) & 0xFF) == head[DESCRIPTOR_AT + DESCRIPTOR_BYTES];
#endif
}

/* head: the first available bytes of the frame, of which the file holds left. */
static enum frame_status parse_head(const uint8_t *head, size_t available, uint64_t left, struct frame *frame, const char **why)
{
	*why = NULL;
	if (available < 4)
		return FRAME_CUT;
	if ((get_u32(head) & 0xFFFFFFF0u) == 0x184D2A50u) {
		if (available < 8)
			return FRAME_CUT;
		frame->frame_bytes = 8 + (uint64_t)get_u32(head + 4);
		return frame->frame_bytes > left ? FRAME_CUT : FRAME_SKIPPABLE;
	}
	if (get_u32(head) != CPROF_LZ4_FRAME_MAGIC) {
		*why = "no LZ4 frame starts here";
		return FRAME_BAD;
	}
	if (available < HEAD_BYTES)
		return FRAME_CUT;

	uint64_t content_bytes = get_u64(head + CONTENT_BYTES_AT);
	uint32_t next_block = get_u32(head + NEXT_BLOCK_AT);

	if (!descriptor_hash_matches(head))
		*why = "checksum of a frame header does not match";
	else if (head[4] != CPROF_LZ4_FLG || head[5] != CPROF_LZ4_BD || get_u32(head + HEADER_AT - 4) != (HEADER_BYTES | BLOCK_STORED))
		*why = "an LZ4 frame, but not of a cprof trace";
	else if (!frame_hash_matches(head + HEADER_AT, HEADER_BYTES, get_u32(head + HEADER_HASH_AT)))
		*why = "checksum of a chunk header does not match";
	else {
		memcpy(&frame->header, head + HEADER_AT, HEADER_BYTES);
		frame->block_bytes = next_block & ~BLOCK_STORED;
		frame->stored = next_block & BLOCK_STORED;
		if (frame->header.magic != CPROF_CHUNK_MAGIC)
			*why = "an LZ4 frame, but not of a cprof trace";
		else if (frame->header.payload_bytes > CPROF_CHUNK_MAX_PAYLOAD || content_bytes != HEADER_BYTES + frame->header.payload_bytes)
			*why = "lengths in a frame contradict each other";
		else if (frame->header.payload_bytes == 0 ? next_block != 0
							  : frame->block_bytes == 0 || frame->block_bytes > CPROF_CHUNK_MAX_PAYLOAD ||
								    (frame->stored && frame->block_bytes != frame->header.payload_bytes))
			*why = "length of a chunk's payload makes no sense";
	}
	if (*why)
		return FRAME_BAD;
	frame->frame_bytes = frame->block_bytes ? PAYLOAD_AT + (uint64_t)frame->block_bytes + 4 + TRAILER_BYTES : EMPTY_FRAME_BYTES;
	return frame->frame_bytes > left ? FRAME_CUT : FRAME_OK;
}

struct cprof_error *frame_probe(const struct trace_file *file, uint64_t offset, enum frame_status *status, struct frame *ret, const char **why)
{
	uint64_t left = file->bytes > offset ? file->bytes - offset : 0;
	size_t available = left < HEAD_BYTES ? (size_t)left : HEAD_BYTES;
	uint8_t head[HEAD_BYTES];
	struct cprof_error *error = trace_file_read(file, offset, head, available);

	if (error)
		return error;
	*ret = (struct frame){ .offset = offset };
	*status = parse_head(head, available, left, ret, why);
	return NULL;
}

void frame_buffer_deinit(struct frame_buffer *buffer)
{
	free(buffer->packed);
	free(buffer->content);
	*buffer = (struct frame_buffer){ NULL, NULL, 0, 0 };
}

/* buffer->packed holds the whole frame; its content goes to buffer->content. */
static const char *unpack(const struct frame *frame, bool thorough, struct frame_buffer *buffer)
{
	const uint8_t *block = buffer->packed + PAYLOAD_AT, *trailer = buffer->packed + frame->frame_bytes - TRAILER_BYTES;
	uint32_t payload_bytes = (uint32_t)frame->header.payload_bytes;
	uint8_t *payload = buffer->content + HEADER_BYTES;

	if (payload_bytes) {
		if (!frame_hash_matches(block, frame->block_bytes, get_u32(block + frame->block_bytes)))
			return "checksum of a chunk's payload does not match";
		if (frame->stored)
			memcpy(payload, block, payload_bytes);
		else if (LZ4_decompress_safe((const char *)block, (char *)payload, (int)frame->block_bytes, (int)payload_bytes) != (int)payload_bytes)
			return "a chunk's payload cannot be decompressed";
	}
	if (get_u32(trailer) != 0)
		return "a frame does not end where its lengths say";
	memcpy(buffer->content, &frame->header, HEADER_BYTES);
	if (thorough && !frame_hash_matches(buffer->content, HEADER_BYTES + (size_t)payload_bytes, get_u32(trailer + 4)))
		return "checksum of a chunk's content does not match";
	return NULL;
}

struct cprof_error *frame_load(const struct trace_file *file, uint64_t offset, uint64_t frame_bytes, bool thorough, struct frame_buffer *buffer,
			       struct frame *ret, const uint8_t **payload, const char **why)
{
	struct frame frame = { .offset = offset };
	struct cprof_error *error;

	if (frame_bytes < EMPTY_FRAME_BYTES || frame_bytes > PAYLOAD_AT + (uint64_t)CPROF_CHUNK_MAX_PAYLOAD + 4 + TRAILER_BYTES) {
		*why = "length of a chunk makes no sense";
		return NULL;
	}
	if (!vec_reserve(&buffer->packed, &buffer->packed_capacity, frame_bytes, 1))
		return &cprof_enomem;
	error = trace_file_read(file, offset, buffer->packed, frame_bytes);
	if (error)
		return error;

	enum frame_status status = parse_head(buffer->packed, frame_bytes < HEAD_BYTES ? (size_t)frame_bytes : HEAD_BYTES, frame_bytes, &frame, why);

	if (status != FRAME_OK || frame.frame_bytes != frame_bytes) {
		*why = *why ? *why : "length of a chunk is not what was expected";
		return NULL;
	}
	if (!vec_reserve(&buffer->content, &buffer->content_capacity, HEADER_BYTES + frame.header.payload_bytes, 1))
		return &cprof_enomem;
	*why = unpack(&frame, thorough, buffer);
	if (!*why) {
		*ret = frame;
		*payload = buffer->content + HEADER_BYTES;
	}
	return NULL;
}
