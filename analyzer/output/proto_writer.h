/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol buffer messages, written field by field into memory.
 *
 * A message within another is made first, in a buffer of its own. A failed allocation sticks: it is asked for once, at the end.
 */
#ifndef CPROF_PROTO_WRITER_H
#define CPROF_PROTO_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto { /* all zero: empty */
	uint8_t *bytes;
	size_t count, capacity;
	bool failed;
};

void proto_deinit(struct proto *proto);

void proto_varint(struct proto *proto, uint64_t value); /* without a field: an item of a packed one */
void proto_number(struct proto *proto, unsigned field, uint64_t value); /* nothing for 0, the default */
void proto_bytes(struct proto *proto, unsigned field, const void *bytes, size_t count);
void proto_text(struct proto *proto, unsigned field, const char *text); /* what is no UTF-8 becomes U+FFFD, as the format demands */
/* Leaves message empty, to be used again. */
void proto_message(struct proto *proto, unsigned field, struct proto *message);

#endif
