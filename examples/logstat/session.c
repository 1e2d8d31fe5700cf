/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow place of this program, left in on purpose. When visits were added there were few users, so their table was made with 16
 * buckets and not told to grow; now there are thousands. A flat profile only says that dict_find() is hot, and dict.c looks fine:
 * which of its callers is to blame is what the contextual tree shows. (Pass true below and the program takes less than half of the time.)
 */
#include "session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void session_table_init(struct session_table *table, struct arena *arena)
{
	memset(table, 0, sizeof(*table));
	dict_init(&table->users, arena, 16, false);
}

static struct visitor *visitor_of(struct session_table *table, const struct slice *user)
{
	struct dict_entry *entry = dict_intern(&table->users, user->start, user->bytes);

	if (entry->value >= table->capacity) {
		size_t capacity = table->capacity ? table->capacity * 2 : 64;

		table->visitors = must_grow(table->visitors, capacity * sizeof(*table->visitors));
		memset(table->visitors + table->capacity, 0, (capacity - table->capacity) * sizeof(*table->visitors));
		table->capacity = capacity;
	}
	return &table->visitors[entry->value];
}

void session_track(struct session_table *table, const struct line *line)
{
	struct visitor *visitor = visitor_of(table, &line->user);

	if (!visitor->requests || line->second - visitor->last_second > 1800)
		visitor->visits++;
	visitor->requests++;
	visitor->last_second = line->second;
}

uint64_t session_table_visits(const struct session_table *table)
{
	uint64_t visits = 0;

	for (size_t i = 0; i < table->users.nr_entries; i++)
		visits += table->visitors[i].visits;
	return visits;
}

void session_table_deinit(struct session_table *table)
{
	dict_deinit(&table->users);
	free(table->visitors);
}
