/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines like: 10.1.2.3 u417 1700000123 "GET /shop/items/42?sort=price" 200 5123 1874 "red shoes light" */
#include "log_source.h"

#include <stdio.h>

#include "arena.h"

static const char *const sections[] = { "shop", "blog", "docs", "forum", "search", "account", "static", "api" };
static const char *const words[] = { "red", "shoes", "light", "summer", "coat", "wool", "green", "leather", "cheap", "winter",
				     "boots", "fast", "river", "stone", "paper", "blue", "cotton", "jacket", "linen", "silver" };

struct random {
	uint64_t state;
};

static uint32_t random_below(struct random *random, uint32_t limit)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (uint32_t)((random->state >> 32) * limit >> 32);
}

/* Few of the values are frequent and many are rare, as in real logs. */
static uint32_t random_skewed(struct random *random, uint32_t limit)
{
	return random_below(random, random_below(random, random_below(random, limit) + 1) + 1);
}

static int write_line(struct random *random, char *out, size_t room, uint32_t second)
{
	uint32_t user = random_below(random, 12000);
	uint32_t status = random_below(random, 20) ? 200 : 404 + random_below(random, 97);
	const char *section = sections[random_skewed(random, 8)];
	uint32_t item = random_skewed(random, 500);
	uint32_t sent_bytes = 200 + random_skewed(random, 90000);
	uint32_t latency_us = 50 + random_skewed(random, 400000);
	const char *said[4];

	for (size_t i = 0; i < 4; i++)
		said[i] = words[random_skewed(random, 20)];
	return snprintf(out, room, "10.%u.%u.%u u%u %u \"GET /%s/items/%u?sort=%s\" %u %u %u \"%s %s %s\"\n", user % 7, user % 251, user % 13, user,
			1700000000u + second, section, item, said[0], status, sent_bytes, latency_us, said[1], said[2], said[3]);
}

char *log_source_create(uint64_t seed, size_t nr_lines, size_t *ret_bytes)
{
	enum { LINE_MAX_BYTES = 160 };
	struct random random = { seed };
	char *text = must_alloc(nr_lines * LINE_MAX_BYTES + 1);
	size_t bytes = 0;

	for (size_t i = 0; i < nr_lines; i++)
		bytes += (size_t)write_line(&random, text + bytes, LINE_MAX_BYTES, (uint32_t)(i / 8));
	*ret_bytes = bytes;
	return text;
}
