/* SPDX-License-Identifier: BSD-2-Clause */
/* Visits: requests of one user with less than half an hour between them. */
#ifndef SESSION_H
#define SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dict.h"
#include "line.h"

struct visitor {
	uint64_t last_second;
	uint32_t visits, requests;
};

struct session_table {
	struct dict users;
	struct visitor *visitors;
	size_t capacity;
};

void session_table_init(struct session_table *table, struct arena *arena);
void session_track(struct session_table *table, const struct line *line);
uint64_t session_table_visits(const struct session_table *table);
void session_table_deinit(struct session_table *table);

#endif
