/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_model.h. */
#include "live_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { CELLS_MAX = 65536, FILES_MAX = 16384, LOCKS_MAX = 16384, PROCESSES_MAX = 32768, STACKS_MAX = 65536, PATHS_MAX = 16384 };

const char *const live_io_names[] = {
#define CPROF_X(name, key, what) key,
	LIVE_IO_GROUPS(CPROF_X)
#undef CPROF_X
};
const char *const live_io_words[] = {
#define CPROF_X(name, key, what) what,
	LIVE_IO_GROUPS(CPROF_X)
#undef CPROF_X
};

void live_model_init(struct live_model *model, uint64_t start_ns)
{
	*model = (struct live_model){
		.cells = LIVE_TABLE(struct live_key, struct live_cell, CELLS_MAX),
		.files = LIVE_TABLE(struct live_file_key, struct live_file_cell, FILES_MAX),
		.locks = LIVE_TABLE(struct live_lock_key, struct live_lock_cell, LOCKS_MAX),
		.processes = LIVE_TABLE(struct live_process_key, struct live_process, PROCESSES_MAX),
		.stacks = LIVE_TABLE(uint64_t, struct live_stack, STACKS_MAX),
		.paths = LIVE_TABLE(struct live_path_key, struct live_path, PATHS_MAX),
		.start_ns = start_ns,
		.window_start_ns = start_ns,
	};
}

static void modules_free(struct live_modules *modules)
{
	while (modules) {
		struct live_modules *next = modules->next;

		free(modules->modules);
		free(modules);
		modules = next;
	}
}

void live_model_deinit(struct live_model *model)
{
	struct live_table *tables[] = { &model->cells, &model->files, &model->locks, &model->processes, &model->stacks, &model->paths };

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		live_table_deinit(tables[i]);
	modules_free(model->modules);
	model->modules = NULL;
}

static void raise_to(uint64_t *max, uint64_t value)
{
	if (value > *max)
		*max = value;
}

void live_numbers_add(struct live_numbers *to, const struct live_numbers *from)
{
	struct live_numbers sum = *to;
	uint64_t *words = (uint64_t *)&sum;
	const uint64_t *add = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof sum / sizeof *words; i++)
		words[i] += add[i];
	sum.off_cpu_max_ns = to->off_cpu_max_ns;
	sum.io_max_ns = to->io_max_ns;
	sum.wait_max_ns = to->wait_max_ns;
	raise_to(&sum.off_cpu_max_ns, from->off_cpu_max_ns);
	raise_to(&sum.io_max_ns, from->io_max_ns);
	raise_to(&sum.wait_max_ns, from->wait_max_ns);
	*to = sum;
}

struct live_key live_key_of(const struct cprof_who *who, uint64_t stack)
{
	struct live_key key = { who->tgid, who->generation, LIVE_CONTEXT, who->context };

	if (!who->context && stack) {
		key.kind = LIVE_STACK;
		key.code = stack;
	}
	return key;
}

void live_model_add(struct live_model *model, const struct live_key *key, const struct live_numbers *now, const struct live_numbers *total)
{
	struct live_key rest = { .kind = LIVE_REST };
	struct live_cell *cell = live_table_find(&model->cells, key);

	if (!cell && model->cells.count + 1 >= model->cells.limit) /* the last one is kept for the rest */
		key = &rest;
	if (!cell)
		cell = live_table_put(&model->cells, key);
	live_numbers_add(&model->now, now);
	live_numbers_add(&model->total, total);
	if (!cell) {
		model->dropped++;
		return;
	}
	live_numbers_add(&cell->now, now);
	live_numbers_add(&cell->total, total);
}

void live_model_sample(struct live_model *model, const struct cprof_kernel_sample *sample)
{
	struct live_numbers numbers = { .samples = 1, .sampled_ns = sample->period_ns };
	struct live_key key = live_key_of(&sample->who, 0);

	if (!sample->who.context) {
		key.kind = sample->flags & CPROF_SAMPLE_KERNEL ? LIVE_KERNEL : LIVE_USER;
		key.code = sample->ip;
	}
	model->qualities[sample->who.quality & 7]++;
	live_model_add(model, &key, &numbers, &numbers);
}

enum live_io_group live_io_group_of_syscall(uint32_t number)
{
	switch (number) {
	case SYS_read:
	case SYS_pread64:
	case SYS_readv:
	case SYS_preadv:
	case SYS_preadv2:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_getdents64:
		return LIVE_IO_READ;
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_pwritev2:
	case SYS_sendfile:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg: case SYS_copy_file_range: case SYS_splice:
		return LIVE_IO_WRITE;
	case SYS_fsync: case SYS_fdatasync: case SYS_sync_file_range: case SYS_syncfs: case SYS_sync: case SYS_msync:
		return LIVE_IO_SYNC;
	default:
		return LIVE_IO_CALL;
	}
}

static enum live_io_group group_of_request(uint32_t op)
{
	if (op & CPROF_BLOCK_ASYNC)
		return LIVE_IO_DEVICE_ASYNC;
	return op == CPROF_BLOCK_READ ? LIVE_IO_DEVICE_READ : op == CPROF_BLOCK_WRITE ? LIVE_IO_DEVICE_WRITE : LIVE_IO_DEVICE_OTHER;
}

static void latency_add(struct live_latency *to, const struct cprof_kernel_sum_value *value)
{
	to->count += value->count;
	to->ns += value->ns;
	to->bytes += value->bytes;
	raise_to(&to->max_ns, value->max_ns);
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		to->buckets[i] += value->histogram[i];
}

static void file_sums_add(struct live_file_sums *to, const struct live_file_sums *from)
{
	to->count += from->count;
	to->ns += from->ns;
	to->bytes += from->bytes;
	raise_to(&to->max_ns, from->max_ns);
}

static bool is_gone(const struct live_model *model, const struct cprof_kernel_sum_key *sum)
{
	struct live_path_key key = { sum->object, sum->device, 0 };
	const struct live_path *path = live_table_find(&model->paths, &key);

	return path && path->replaced && path->generation != sum->other;
}

static void add_io(struct live_model *model, enum live_io_group group, const struct cprof_kernel_sum *sum)
{
	struct live_file_key key = { sum->key.object, sum->key.device, group };
	struct live_file_sums sums = { sum->value.count, sum->value.ns, sum->value.max_ns, sum->value.bytes };
	struct live_file_cell *file;

	latency_add(&model->io[group].now, &sum->value);
	latency_add(&model->io[group].total, &sum->value);
	if (is_gone(model, &sum->key))
		key = (struct live_file_key){ LIVE_GONE_INODE, 0, group };
	file = live_table_put(&model->files, &key);
	if (!file) {
		model->dropped++;
		return;
	}
	file_sums_add(&file->now, &sums);
	file_sums_add(&file->total, &sums);
}

/* Another file has its number now. */
static void file_forget(struct live_model *model, const struct live_path_key *number)
{
	for (uint32_t group = 0; group < LIVE_IO_COUNT; group++) {
		struct live_file_key key = { number->inode, number->device, group }, gone_key = { LIVE_GONE_INODE, 0, group };
		bool known = live_table_find(&model->files, &key);
		struct live_file_cell *gone = known ? live_table_put(&model->files, &gone_key) : NULL, *file = live_table_find(&model->files, &key);

		if (!known)
			continue;
		if (gone) {
			file_sums_add(&gone->now, &file->now);
			file_sums_add(&gone->total, &file->total);
		} else {
			model->dropped++;
		}
		file->now = file->total = (struct live_file_sums){ 0 };
	}
}

static void add_lock(struct live_model *model, const struct live_key *waiter, const struct cprof_kernel_sum *sum)
{
	struct live_lock_key key = { *waiter, sum->key.object, sum->key.other, sum->key.sub };
	struct live_lock_cell *lock = live_table_put(&model->locks, &key);

	if (!lock) {
		model->dropped++;
		return;
	}
	lock->now.count += sum->value.count;
	lock->now.ns += sum->value.ns;
	raise_to(&lock->now.max_ns, sum->value.max_ns);
	lock->total.count += sum->value.count;
	lock->total.ns += sum->value.ns;
	raise_to(&lock->total.max_ns, sum->value.max_ns);
}

void live_model_sum(struct live_model *model, const struct cprof_kernel_sum *sum)
{
	const struct cprof_kernel_sum_value *value = &sum->value;
	struct live_key key = live_key_of(&sum->key.who, sum->key.stack);
	struct live_numbers numbers = { .samples = 0 };

	model->qualities[sum->key.who.quality & 7] += value->count;
	switch (sum->key.kind) {
	case CPROF_SUM_OFF_CPU:
		numbers.switches = value->count;
		numbers.off_cpu_ns = value->ns;
		numbers.off_cpu_max_ns = value->max_ns;
		numbers.blocked_ns[sum->key.sub < CPROF_BLOCKED_COUNT ? sum->key.sub : CPROF_BLOCKED_OTHER] = value->ns;
		break;
	case CPROF_SUM_RUN_QUEUE:
		numbers.runq_ns = value->ns;
		break;
	case CPROF_SUM_SYSCALL:
		numbers.io_calls = value->count;
		numbers.io_ns = value->ns;
		numbers.io_max_ns = value->max_ns;
		numbers.io_bytes = value->bytes;
		add_io(model, live_io_group_of_syscall(sum->key.sub), sum);
		break;
	case CPROF_SUM_BLOCK_QUEUE:
		numbers.request_ns = value->ns;
		break;
	case CPROF_SUM_BLOCK_DEVICE:
		numbers.requests = value->count;
		numbers.request_ns = value->ns;
		numbers.request_bytes = value->bytes;
		add_io(model, group_of_request(sum->key.sub), sum);
		break;
	case CPROF_SUM_LOCK:
		numbers.waits = value->count;
		numbers.wait_ns = value->ns;
		numbers.wait_max_ns = value->max_ns;
		add_lock(model, &key, sum);
		break;
	case CPROF_SUM_FAULT:
		numbers.faults = value->count;
		numbers.major_faults = sum->key.sub ? value->count : 0;
		break;
	case CPROF_SUM_ALLOC:
		numbers.allocs = value->count;
		numbers.alloc_bytes = value->bytes;
		break;
	case CPROF_SUM_FREE:
		numbers.frees = value->count;
		numbers.freed_bytes = value->bytes;
		break;
	default:
		return;
	}
	live_model_add(model, &key, &numbers, &numbers);
}

void live_model_io(struct live_model *model, const struct cprof_kernel_io *io)
{
	struct live_io *group = &model->io[live_io_group_of_syscall(io->syscall)];

	if (io->duration_ns >= LIVE_SLOW_NS) {
		group->now.slow++;
		group->total.slow++;
	}
}

void live_model_block(struct live_model *model, const struct cprof_kernel_block *block)
{
	struct live_io *group = &model->io[group_of_request(block->op)];

	if (block->device_ns >= LIVE_SLOW_NS) { /* the histogram is of device time, too */
		group->now.slow++;
		group->total.slow++;
	}
}

void live_model_process(struct live_model *model, const struct cprof_kernel_process *said)
{
	struct live_process_key key = { said->tgid, said->generation };
	struct live_process *process = live_table_put(&model->processes, &key);

	if (!process) {
		model->dropped++;
		return;
	}
	process->flags |= said->flags;
	if (said->name[0])
		memcpy(process->name, said->name, sizeof process->name - 1);
}

void live_model_stack(struct live_model *model, const struct cprof_kernel_stack *said, size_t bytes)
{
	struct live_stack *stack = live_table_put(&model->stacks, &said->key);
	size_t count = said->count < LIVE_STACK_FRAMES ? said->count : LIVE_STACK_FRAMES;

	if (!stack) {
		model->dropped++;
		return;
	}
	if (count > (bytes - sizeof *said) / sizeof *stack->frames)
		count = (bytes - sizeof *said) / sizeof *stack->frames;
	stack->count = (uint32_t)count;
	stack->kernel = said->flags & 1;
	memcpy(stack->frames, said + 1, count * sizeof *stack->frames);
}

void live_model_file(struct live_model *model, const struct cprof_kernel_file *said, size_t bytes)
{
	struct live_path_key key = { said->id.inode, said->id.device, 0 };
	struct live_path *path = live_table_put(&model->paths, &key);
	const char *text = (const char *)(said + 1);
	size_t length = said->path_bytes;

	if (!path) {
		model->dropped++;
		return;
	}
	if (length > bytes - sizeof *said)
		length = bytes - sizeof *said;
	if (length >= sizeof path->text) {
		text += length - (sizeof path->text - 1);
		length = sizeof path->text - 1;
	}
	if (path->text[0] && path->generation != said->id.generation && (strnlen(path->text, sizeof path->text) != length || memcmp(path->text, text, length) != 0)) {
		file_forget(model, &key);
		path->replaced = true;
	}
	path->generation = said->id.generation;
	memcpy(path->text, text, length);
	path->text[length] = '\0';
}

void live_model_modules(struct live_model *model, uint32_t tgid, uint32_t generation, const struct cprof_module *given, size_t count)
{
	struct live_modules *modules = calloc(1, sizeof *modules);

	if (modules)
		modules->modules = malloc((count + 1) * sizeof *given);
	if (!modules || !modules->modules) {
		free(modules);
		model->dropped++;
		return;
	}
	memcpy(modules->modules, given, count * sizeof *given);
	modules->tgid = tgid;
	modules->generation = generation;
	modules->count = count;
	modules->next = model->modules;
	model->modules = modules;
}

/* --- windows --- */

static bool table_copy(const struct live_table *from, struct live_table *to)
{
	*to = *from;
	to->items = malloc(from->count * from->item_bytes + 1);
	to->slots = malloc(from->nr_slots * sizeof *from->slots + 1);
	to->capacity = from->count;
	if (!to->items || !to->slots) {
		live_table_deinit(to);
		return false;
	}
	if (from->count) {
		memcpy(to->items, from->items, from->count * from->item_bytes);
		memcpy(to->slots, from->slots, from->nr_slots * sizeof *from->slots);
	}
	return true;
}

static void begin_window(struct live_model *model, uint64_t now_ns)
{
	for (size_t i = 0; i < model->cells.count; i++)
		memset(&((struct live_cell *)live_table_at(&model->cells, i))->now, 0, sizeof model->now);
	for (size_t i = 0; i < model->files.count; i++) {
		struct live_file_cell *file = live_table_at(&model->files, i);

		memset(&file->now, 0, sizeof file->now);
	}
	for (size_t i = 0; i < model->locks.count; i++) {
		struct live_lock_cell *lock = live_table_at(&model->locks, i);

		memset(&lock->now, 0, sizeof lock->now);
	}
	for (size_t i = 0; i < model->paths.count; i++)
		((struct live_path *)live_table_at(&model->paths, i))->replaced = false;
	for (size_t i = 0; i < LIVE_IO_COUNT; i++)
		memset(&model->io[i].now, 0, sizeof model->io[i].now);
	memset(&model->now, 0, sizeof model->now);
	memset(model->qualities, 0, sizeof model->qualities);
	model->window_start_ns = now_ns;
	model->modules = NULL;
}

bool live_model_take(struct live_model *model, uint64_t now_ns, struct live_snapshot *ret)
{
	struct live_snapshot taken = { .model = *model, .end_ns = now_ns };
	bool copied = table_copy(&model->cells, &taken.model.cells);

	copied &= table_copy(&model->files, &taken.model.files);
	copied &= table_copy(&model->locks, &taken.model.locks);
	copied &= table_copy(&model->processes, &taken.model.processes);
	copied &= table_copy(&model->stacks, &taken.model.stacks);
	copied &= table_copy(&model->paths, &taken.model.paths);
	if (!copied) {
		taken.model.modules = NULL; /* still the model's */
		live_model_deinit(&taken.model);
		return false;
	}
	begin_window(model, now_ns);
	*ret = taken;
	return true;
}

void live_snapshot_deinit(struct live_snapshot *snapshot)
{
	live_model_deinit(&snapshot->model);
}

uint64_t live_latency_percentile(const struct live_latency *latency, unsigned percent)
{
	uint64_t counted = 0, wanted, below = 0;

	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		counted += latency->buckets[i];
	wanted = counted / 100 * percent + (counted % 100 * percent + 99) / 100;
	for (size_t i = 0; counted && i < CPROF_SUM_BUCKETS; i++) {
		below += latency->buckets[i];
		if (below < wanted || !below)
			continue;
		uint64_t end = i == CPROF_SUM_BUCKETS - 1 ? latency->max_ns : ((uint64_t)2 << i) - 1;

		return end < latency->max_ns ? end : latency->max_ns;
	}
	return 0;
}
