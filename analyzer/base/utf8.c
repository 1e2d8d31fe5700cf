/* SPDX-License-Identifier: BSD-2-Clause */
#include "utf8.h"

static uint32_t take(const char **text, unsigned bytes, uint32_t value)
{
	*text += bytes;
	return value;
}

uint32_t utf8_next(const char **text)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)*text;
	unsigned bytes = byte[0] < 0x80 ? 1 : (byte[0] & 0xE0) == 0xC0 ? 2 : (byte[0] & 0xF0) == 0xE0 ? 3 : (byte[0] & 0xF8) == 0xF0 ? 4 : 0;

	if (bytes == 0)
		return take(text, 1, UTF8_BAD);
	if (bytes == 1)
		return take(text, 1, byte[0]);

	uint32_t value = byte[0] & (0xFFu >> (bytes + 1));
	for (unsigned i = 1; i < bytes; i++) {
		if ((byte[i] & 0xC0) != 0x80) /* also stops at the NUL */
			return take(text, 1, UTF8_BAD);
		value = value << 6 | (byte[i] & 0x3F);
	}
	if (value < smallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return take(text, 1, UTF8_BAD);
	return take(text, bytes, value);
}
