/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recursive descent parser that evaluates as it goes:
 *     any  = all { '|' all }      all = term { '&' term }      term = word | '(' any ')'
 */
#include "query.h"

#include <ctype.h>
#include <stdlib.h>

struct query {
	const struct text_index *index;
	const char *cursor;
};

static struct line_list parse_any(struct query *query);

static void skip_blanks(struct query *query)
{
	while (*query->cursor == ' ')
		query->cursor++;
}

static struct line_list lists_unite(struct line_list a, struct line_list b)
{
	struct line_list result = { must_alloc((a.count + b.count + 1) * sizeof(uint32_t)), 0 };
	size_t i = 0, j = 0;

	while (i < a.count || j < b.count) {
		if (j == b.count || (i < a.count && a.lines[i] < b.lines[j])) {
			result.lines[result.count++] = a.lines[i++];
		} else {
			if (i < a.count && a.lines[i] == b.lines[j])
				i++;
			result.lines[result.count++] = b.lines[j++];
		}
	}
	free(a.lines);
	free(b.lines);
	return result;
}

static struct line_list lists_intersect(struct line_list a, struct line_list b)
{
	size_t count = 0, j = 0;

	for (size_t i = 0; i < a.count; i++) {
		while (j < b.count && b.lines[j] < a.lines[i])
			j++;
		if (j < b.count && b.lines[j] == a.lines[i])
			a.lines[count++] = a.lines[i];
	}
	free(b.lines);
	return (struct line_list){ a.lines, count };
}

static struct line_list parse_term(struct query *query)
{
	const char *start;

	skip_blanks(query);
	if (*query->cursor == '(') {
		struct line_list list;

		query->cursor++;
		list = parse_any(query);
		skip_blanks(query);
		if (*query->cursor == ')')
			query->cursor++;
		return list;
	}
	start = query->cursor;
	while (isalpha((unsigned char)*query->cursor))
		query->cursor++;
	return text_index_lookup(query->index, start, (size_t)(query->cursor - start));
}

static struct line_list parse_all(struct query *query)
{
	struct line_list list = parse_term(query);

	skip_blanks(query);
	while (*query->cursor == '&') {
		query->cursor++;
		list = lists_intersect(list, parse_term(query));
		skip_blanks(query);
	}
	return list;
}

static struct line_list parse_any(struct query *query)
{
	struct line_list list = parse_all(query);

	skip_blanks(query);
	while (*query->cursor == '|') {
		query->cursor++;
		list = lists_unite(list, parse_all(query));
		skip_blanks(query);
	}
	return list;
}

size_t query_count(const struct text_index *index, const char *text)
{
	struct query query = { index, text };
	struct line_list list = parse_any(&query);

	free(list.lines);
	return list.count;
}
