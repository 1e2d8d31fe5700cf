/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto_writer.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "vec.h"

enum { WIRE_BYTES = 2, MAX_VARINT = 10 };

void proto_deinit(struct proto *proto)
{
	free(proto->bytes);
	*proto = (struct proto){ 0 };
}

static bool reserve(struct proto *proto, size_t more)
{
	if (proto->failed || more > SIZE_MAX - proto->count || !vec_reserve(&proto->bytes, &proto->capacity, proto->count + more, 1))
		proto->failed = true;
	return !proto->failed;
}

void proto_varint(struct proto *proto, uint64_t value)
{
	if (!reserve(proto, MAX_VARINT))
		return;
	for (; value >= 0x80; value >>= 7)
		proto->bytes[proto->count++] = (uint8_t)(value | 0x80);
	proto->bytes[proto->count++] = (uint8_t)value;
}

void proto_number(struct proto *proto, unsigned field, uint64_t value)
{
	if (!value)
		return;
	proto_varint(proto, (uint64_t)field << 3);
	proto_varint(proto, value);
}

void proto_bytes(struct proto *proto, unsigned field, const void *bytes, size_t count)
{
	proto_varint(proto, (uint64_t)field << 3 | WIRE_BYTES);
	proto_varint(proto, count);
	if (!count || !reserve(proto, count))
		return;
	memcpy(proto->bytes + proto->count, bytes, count);
	proto->count += count;
}

void proto_text(struct proto *proto, unsigned field, const char *text)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	size_t bytes = 0;

	for (const char *at = text; *at;) {
		const char *from = at;

		bytes += utf8_next(&at) == UTF8_BAD ? sizeof replacement - 1 : (size_t)(at - from);
	}
	proto_varint(proto, (uint64_t)field << 3 | WIRE_BYTES);
	proto_varint(proto, bytes);
	if (!reserve(proto, bytes))
		return;
	for (const char *at = text; *at;) {
		const char *from = at;
		bool bad = utf8_next(&at) == UTF8_BAD;
		size_t count = bad ? sizeof replacement - 1 : (size_t)(at - from);

		memcpy(proto->bytes + proto->count, bad ? replacement : from, count);
		proto->count += count;
	}
}

void proto_message(struct proto *proto, unsigned field, struct proto *message)
{
	proto->failed |= message->failed;
	proto_bytes(proto, field, message->bytes, message->count);
	message->count = 0;
}
