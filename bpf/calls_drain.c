/* SPDX-License-Identifier: BSD-2-Clause */
/* See calls_drain.h. */
#include "calls_drain.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_format.h"

enum { MISSING_NS = 200000000 }; /* so long a process may be kept from a CPU in the middle of a record, not longer */

struct calls_told {
	struct cprof_kernel_sum_key key;
	struct cprof_kernel_sum_value value;
	bool known, refused;
};

struct new_file {
	uint32_t index, order;
};

struct cprof_error *calls_drain_open(const struct calls_memfd *memory, struct kernel_writer *writer, struct calls_processes *processes, struct calls_drain *ret)
{
	*ret = (struct calls_drain){ .memory = memory, .writer = writer, .processes = processes };
	ret->told = calloc(memory->layout.nr_rows, sizeof *ret->told);
	ret->files_told = calloc(memory->layout.nr_files, sizeof *ret->files_told);
	ret->new_files = calloc(memory->layout.nr_files, sizeof *ret->new_files);
	if (ret->told && ret->files_told && ret->new_files)
		return NULL;
	calls_drain_close(ret);
	return &cprof_enomem;
}

void calls_drain_close(struct calls_drain *drain)
{
	free(drain->told);
	free(drain->files_told);
	free(drain->new_files);
	drain->told = NULL;
	drain->files_told = NULL;
	drain->new_files = NULL;
}

static bool who_is_sound(const struct cprof_who *who)
{
	return who->tgid && who->tgid <= INT32_MAX && who->tid <= INT32_MAX && who->quality <= CPROF_QUALITY_TIMED;
}

/* --- sums --- */

static bool key_is_sound(const struct calls_drain *drain, const struct cprof_kernel_sum_key *key)
{
	uint32_t sources = drain->memory->layout.sources;

	return who_is_sound(&key->who) && ((key->kind == CPROF_SUM_SYSCALL && sources & CPROF_CALLS_IO) || (key->kind == CPROF_SUM_LOCK && sources & CPROF_CALLS_LOCKS));
}

static void key_take(struct calls_drain *drain, const struct cprof_calls_row *row, struct calls_told *told)
{
	memcpy(&told->key, &row->sum.key, sizeof told->key);
	told->key.who.tid = 0;
	told->key.who.reserved = 0;
	told->key.stack = 0; /* nobody takes one */
	told->known = true;
	told->refused = !key_is_sound(drain, &told->key);
	drain->malformed += told->refused;
	if (!told->refused)
		calls_processes_note(drain->processes, &told->key.who);
}

static uint64_t load(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* The growth of a sum that only grows. */
static uint64_t grown(struct calls_drain *drain, const uint64_t *at, uint64_t *told)
{
	uint64_t now = load(at), before = *told;

	*told = now;
	if (now >= before)
		return now - before;
	drain->malformed++;
	return now;
}

/* A call adds to one after the other: any of them may be what was missing the last time. */
static bool row_has_news(const struct cprof_kernel_sum_value *value, const struct cprof_kernel_sum_value *told)
{
	return load(&value->count) != told->count || load(&value->ns) != told->ns || load(&value->bytes) != told->bytes || load(&value->max_ns) != 0 ||
	       memcmp(value->histogram, told->histogram, sizeof value->histogram) != 0;
}

static void row_take(struct calls_drain *drain, struct cprof_calls_row *row, struct calls_told *told)
{
	struct cprof_kernel_sum_value *value = &row->sum.value, *before = &told->value;
	struct cprof_kernel_sum sum = { .key = told->key };

	if (!row_has_news(value, before))
		return;
	sum.value.count = grown(drain, &value->count, &before->count);
	sum.value.ns = grown(drain, &value->ns, &before->ns);
	sum.value.bytes = grown(drain, &value->bytes, &before->bytes);
	sum.value.max_ns = __atomic_exchange_n(&value->max_ns, 0, __ATOMIC_RELAXED); /* the longest of the next window begins anew */
	for (uint32_t i = 0; i < CPROF_SUM_BUCKETS; i++) {
		uint32_t now = __atomic_load_n(&value->histogram[i], __ATOMIC_RELAXED);

		sum.value.histogram[i] = now - before->histogram[i]; /* of 32 bits: it may go round */
		before->histogram[i] = now;
	}
	drain->received += sum.value.count;
	calls_processes_count(drain->processes, &sum.key, sum.value.count);
	kernel_writer_add(drain->writer, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
}

static void row_look(struct calls_drain *drain, uint32_t index)
{
	struct cprof_calls_row *row = calls_memfd_row(drain->memory, index);
	struct calls_told *told = &drain->told[index];

	if (!told->known) {
		if (!__atomic_load_n(&row->ready, __ATOMIC_ACQUIRE))
			return;
		key_take(drain, row, told);
	}
	if (!told->refused)
		row_take(drain, row, told);
}

static void rows_take(struct calls_drain *drain)
{
	uint32_t index = 0, end;

	while (calls_memfd_used(drain->memory, calls_memfd_rows(drain->memory), &index, &end))
		for (; index < end; index++)
			row_look(drain, index);
}

/* --- files --- */

static int compare_order(const void *left, const void *right)
{
	const struct new_file *a = left, *b = right;

	return a->order < b->order ? -1 : a->order > b->order;
}

static void file_say(struct calls_drain *drain, const struct cprof_calls_file *file)
{
	struct {
		struct cprof_kernel_file head;
		char path[sizeof file->path + 8];
	} said;
	size_t length;

	memset(&said, 0, sizeof said);
	said.head.id = (struct cprof_file_id){ file->inode, file->device, 0 };
	memcpy(said.path, file->path, sizeof file->path);
	length = strnlen(said.path, sizeof file->path);
	if (!length) /* the kernel did not tell it */
		return;
	memset(said.path + length, 0, sizeof said.path - length);
	said.head.path_bytes = (uint32_t)length;
	drain->files++;
	kernel_writer_add(drain->writer, CPROF_CHUNK_KERNEL_FILES, &said, sizeof said.head + ((length + 7) & ~(size_t)7));
}

/* Those in [from, to) that are new: added to new. */
static size_t files_look(struct calls_drain *drain, uint32_t from, uint32_t to, struct new_file *new)
{
	size_t nr = 0;

	for (uint32_t i = from; i < to; i++) {
		const struct cprof_calls_file *file = calls_memfd_file(drain->memory, i);

		if (drain->files_told[i] || !__atomic_load_n(&file->ready, __ATOMIC_ACQUIRE))
			continue;
		new[nr++] = (struct new_file){ i, __atomic_load_n(&file->order, __ATOMIC_RELAXED) };
		drain->files_told[i] = true;
	}
	return nr;
}

/* The last name of a file counts: in the order in which it got them. */
static void files_take(struct calls_drain *drain)
{
	uint32_t index = 0, end;
	size_t nr = 0;

	for (; calls_memfd_used(drain->memory, calls_memfd_files(drain->memory), &index, &end); index = end)
		nr += files_look(drain, index, end, drain->new_files + nr);
	if (nr)
		qsort(drain->new_files, nr, sizeof *drain->new_files, compare_order);
	for (size_t i = 0; i < nr; i++)
		file_say(drain, calls_memfd_file(drain->memory, drain->new_files[i].index));
}

void calls_drain_sums(struct calls_drain *drain)
{
	rows_take(drain);
	files_take(drain);
}

/* --- single calls --- */

static void io_say(struct calls_drain *drain, struct cprof_kernel_io *io)
{
	if (!who_is_sound(&io->who) || !(drain->memory->layout.sources & CPROF_CALLS_IO)) {
		drain->malformed++;
		return;
	}
	io->who.reserved = 0;
	io->open = 0;
	drain->records++;
	kernel_writer_add(drain->writer, CPROF_CHUNK_KERNEL_IO, io, sizeof *io);
}

static void lock_say(struct calls_drain *drain, struct cprof_kernel_lock *lock)
{
	if (!who_is_sound(&lock->who) || lock->holder.quality > CPROF_QUALITY_TIMED || !(drain->memory->layout.sources & CPROF_CALLS_LOCKS)) {
		drain->malformed++;
		return;
	}
	lock->who.reserved = lock->holder.reserved = 0;
	lock->open = 0;
	drain->records++;
	kernel_writer_add(drain->writer, CPROF_CHUNK_KERNEL_LOCKS, lock, sizeof *lock);
}

/* false: it is not there, or another has come while it was read. */
static bool record_take(struct calls_drain *drain, uint64_t number)
{
	struct cprof_calls_record *at = calls_memfd_record(drain->memory, number);
	struct cprof_calls_record record;

	if (__atomic_load_n(&at->done, __ATOMIC_ACQUIRE) != number + 1)
		return false;
	memcpy(&record, at, sizeof record);
	if (__atomic_fetch_add(&at->done, 0, __ATOMIC_ACQ_REL) != number + 1) /* nothing is added: but the copy is made before it, as a load's would not have to be */
		return false;
	if (record.kind == CPROF_CALLS_IO)
		io_say(drain, &record.io);
	else if (record.kind == CPROF_CALLS_LOCKS)
		lock_say(drain, &record.lock);
	else
		drain->malformed++;
	return true;
}

void calls_drain_records(struct calls_drain *drain, uint64_t now_ns, bool last)
{
	struct cprof_calls_header *header = drain->memory->at;
	uint64_t head = __atomic_load_n(&header->records_head, __ATOMIC_ACQUIRE), most = drain->memory->layout.nr_records;

	if (head - drain->tail > most) { /* numbers that none of ours has taken */
		drain->malformed++;
		return;
	}
	while (drain->tail != head) {
		if (!record_take(drain, drain->tail)) {
			if (!drain->missing_since_ns)
				drain->missing_since_ns = now_ns;
			if (!last && now_ns - drain->missing_since_ns < MISSING_NS)
				break;
			drain->unfinished++; /* its process was killed */
		}
		drain->missing_since_ns = 0;
		drain->tail++;
	}
	__atomic_store_n(&header->records_tail, drain->tail, __ATOMIC_RELEASE);
}
