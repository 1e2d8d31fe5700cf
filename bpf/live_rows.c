/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_rows.h. */
#include "live_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

struct group_key {
	uint32_t tgid, generation;
	uint32_t name, other;
	uint64_t object;
};
struct group {
	struct group_key key;
	uint64_t row; /* its number + 1 */
};

struct building {
	const struct live_model *model;
	const struct live_namer *namer;
	const struct live_choice *choice;
	struct live_rows *rows;
	struct live_table groups;
	bool failed;
};

static const char *const class_names[] = { "futex", "mutex", "rwlock", "condition", "semaphore", "join" };

static bool is_zero(const struct live_numbers *numbers)
{
	static const struct live_numbers zero;

	return memcmp(numbers, &zero, sizeof zero) == 0;
}

static const char *process_name(const struct live_model *model, uint32_t tgid, uint32_t generation)
{
	struct live_process_key key = { tgid, generation };
	const struct live_process *process = live_table_find(&model->processes, &key);

	return process ? process->name : "";
}

static bool passes(const struct building *building, const char *name, const char *path, const char *process)
{
	const char *filter = building->choice->filter;

	return !filter || !*filter || strcasestr(name, filter) || strcasestr(path, filter) || strcasestr(process, filter);
}

/* NULL: no memory. The row of the key, made when it is met first. */
static struct live_row *row_of(struct building *building, const struct group_key *key)
{
	struct group *group = live_table_put(&building->groups, key);
	struct live_rows *rows = building->rows;

	if (group && group->row)
		return &rows->rows[group->row - 1];
	if (!group || !vec_reserve(&rows->rows, &rows->capacity, rows->count + 1, sizeof *rows->rows)) {
		building->failed = true;
		return NULL;
	}
	group->row = ++rows->count;
	struct live_row *row = &rows->rows[rows->count - 1];

	*row = (struct live_row){ .tgid = key->tgid, .name = key->name };
	snprintf(row->process, sizeof row->process, "%s", process_name(building->model, key->tgid, key->generation));
	return row;
}

static void count(struct building *building, struct live_row *row, const struct live_numbers *now, const struct live_numbers *total)
{
	const struct live_numbers *shown = building->choice->total ? total : now;

	live_numbers_add(&row->shown, shown);
	live_numbers_add(&row->total, total);
	live_numbers_add(&building->rows->all, shown);
}

static const char *text_of(const struct building *building, uint32_t id)
{
	return building->namer->text(building->namer->context, id);
}

static struct live_label label_of(const struct building *building, const struct live_key *key)
{
	return building->namer->label(building->namer->context, building->model, key);
}

static void add_place(struct building *building, const struct live_cell *cell)
{
	struct group_key key = { cell->key.tgid, cell->key.generation, 0, 0, 0 };
	struct live_label label;
	struct live_row *row;

	if (!building->choice->total && is_zero(&cell->now) && cell->total.alloc_bytes <= cell->total.freed_bytes)
		return;
	label = label_of(building, &cell->key);
	if (!passes(building, text_of(building, label.function), text_of(building, label.path),
		    process_name(building->model, key.tgid, key.generation)))
		return;
	if (building->choice->group == LIVE_BY_FUNCTION)
		key.name = label.function;
	else if (building->choice->group == LIVE_BY_PATH)
		key.name = label.path;
	row = row_of(building, &key);
	if (row)
		count(building, row, &cell->now, &cell->total);
}

static void add_file(struct building *building, const struct live_file_cell *cell)
{
	const struct live_file_key *file = &cell->key;
	struct group_key key = { .name = file->group, .other = file->device, .object = file->inode };
	struct live_path_key path_key = { file->inode, file->device, 0 };
	const struct live_path *path = live_table_find(&building->model->paths, &path_key);
	struct live_numbers now = {
		.io_calls = cell->now.count, .io_ns = cell->now.ns, .io_max_ns = cell->now.max_ns, .io_bytes = cell->now.bytes
	};
	struct live_numbers total = { .io_calls = cell->total.count, .io_ns = cell->total.ns, .io_max_ns = cell->total.max_ns,
				      .io_bytes = cell->total.bytes };
	const char *group = live_io_names[cell->key.group];
	struct live_row *row;
	char *text;

	if (!(building->choice->total ? cell->total : cell->now).count)
		return;
	if (!passes(building, path ? path->text : "", group, ""))
		return;
	row = row_of(building, &key);
	if (!row)
		return;
	count(building, row, &now, &total);
	row->name = 0;
	if (row->text)
		return;
	int made = path           ? asprintf(&text, "%-9s %s", group, path->text)
		   : file->inode == LIVE_GONE_INODE ? asprintf(&text, "%-9s (files that are gone)", group)
		   : file->inode  ? asprintf(&text, "%-9s inode %" PRIu64 " of device %u:%u", group, file->inode, file->device >> 20,
					     file->device & 0xFFFFF)
		   : file->device ? asprintf(&text, "%-9s device %u:%u", group, file->device >> 20, file->device & 0xFFFFF)
				  : asprintf(&text, "%-9s (no file)", group);

	if (made >= 0)
		row->text = text;
	else
		building->failed = true;
}

static void add_lock(struct building *building, const struct live_lock_cell *cell)
{
	struct live_key holder_key = { cell->key.waiter.tgid, cell->key.waiter.generation, LIVE_CONTEXT, cell->key.holder };
	struct live_numbers now = { .waits = cell->now.count, .wait_ns = cell->now.ns, .wait_max_ns = cell->now.max_ns };
	struct live_numbers total = { .waits = cell->total.count, .wait_ns = cell->total.ns, .wait_max_ns = cell->total.max_ns };
	struct group_key key = { cell->key.waiter.tgid, cell->key.waiter.generation, 0, 0, cell->key.address };
	struct live_label waiter = { 0, 0 }, holder = { 0, 0 };
	bool by_path = building->choice->group == LIVE_BY_PATH;
	const char *class = class_names[cell->key.lock_class < sizeof class_names / sizeof *class_names ? cell->key.lock_class : 0];
	const char *process = process_name(building->model, key.tgid, key.generation);
	struct live_row *row;
	char *text;

	if (!building->choice->total && !cell->now.count)
		return;
	waiter = label_of(building, &cell->key.waiter);
	if (cell->key.holder)
		holder = label_of(building, &holder_key);
	key.name = by_path ? waiter.path : waiter.function;
	key.other = by_path ? holder.path : holder.function;
	const char *held = cell->key.holder ? text_of(building, key.other) : NULL;

	if (!passes(building, text_of(building, waiter.path), held ? held : class, process))
		return;
	row = row_of(building, &key);
	if (!row)
		return;
	count(building, row, &now, &total);
	row->name = 0;
	if (row->text && !(row->unclassed && cell->key.lock_class != CPROF_LOCK_UNKNOWN)) /* the kind that one wait has shown is that of all */
		return;
	free(row->text);
	row->text = NULL;
	row->unclassed = cell->key.lock_class == CPROF_LOCK_UNKNOWN;
	if (asprintf(&text, "%s waits for %s 0x%" PRIx64 "%s%s", text_of(building, key.name), class, cell->key.address,
		     held ? " held by " : "", held ? held : "") >= 0)
		row->text = text;
	else
		building->failed = true;
}

static void add_all(struct building *building)
{
	const struct live_model *model = building->model;

	switch (live_views[building->choice->view].source) {
	case LIVE_PLACES:
		for (size_t i = 0; i < model->cells.count; i++)
			add_place(building, live_table_at(&model->cells, i));
		break;
	case LIVE_FILES:
		for (size_t i = 0; i < model->files.count; i++)
			add_file(building, live_table_at(&model->files, i));
		break;
	case LIVE_LOCKS:
		for (size_t i = 0; i < model->locks.count; i++)
			add_lock(building, live_table_at(&model->locks, i));
		break;
	case LIVE_LATENCIES:
		break;
	}
}

struct order {
	const struct live_column *column;
	const struct live_rows *rows;
	bool upward;
};

static int compare(const void *a, const void *b, void *context)
{
	const struct live_row *x = a, *y = b;
	const struct order *order = context;
	double left = live_column_value(order->column, &x->shown, &x->total, order->rows->window_ns);
	double right = live_column_value(order->column, &y->shown, &y->total, order->rows->window_ns);

	if (left != right)
		return (left < right) == order->upward ? -1 : 1;
	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->text && y->text)
		return strcmp(x->text, y->text);
	return x->name < y->name ? -1 : x->name > y->name;
}

/* A view shows what has something in one of its columns. */
static void drop_empty(struct live_rows *rows, const struct live_view *view)
{
	unsigned columns = live_view_columns(view);
	size_t kept = 0;

	for (size_t i = 0; i < rows->count; i++) {
		bool any = false;

		for (unsigned column = 0; column < columns && !any; column++)
			any = live_column_value(&view->columns[column], &rows->rows[i].shown, &rows->rows[i].total, rows->window_ns) > 0;
		if (any)
			rows->rows[kept++] = rows->rows[i];
		else
			free(rows->rows[i].text);
	}
	rows->count = kept;
}

bool live_rows_build(const struct live_snapshot *snapshot, const struct live_namer *namer, const struct live_choice *choice,
		     struct live_rows *ret)
{
	const struct live_view *view = &live_views[choice->view];
	struct live_rows rows = { .window_ns =
					  snapshot->end_ns - (choice->total ? snapshot->model.start_ns : snapshot->model.window_start_ns) };
	struct building building = { &snapshot->model, namer, choice, &rows, LIVE_TABLE(struct group_key, struct group, 1 << 20), false };
	unsigned columns = live_view_columns(view);

	add_all(&building);
	live_table_deinit(&building.groups);
	if (building.failed) {
		live_rows_deinit(&rows);
		return false;
	}
	drop_empty(&rows, view);
	for (size_t i = 1; i < rows.count; i++)
		rows.several |= rows.rows[i].tgid != rows.rows[0].tgid;
	if (columns && rows.count) {
		struct order order = { &view->columns[choice->sorted < columns ? choice->sorted : view->sorted], &rows, choice->upward };

		qsort_r(rows.rows, rows.count, sizeof *rows.rows, compare, &order);
	}
	*ret = rows;
	return true;
}

void live_rows_deinit(struct live_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->rows[i].text);
	free(rows->rows);
	*rows = (struct live_rows){ .rows = NULL };
}
