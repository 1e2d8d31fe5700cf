/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_facts.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernel_cover.h"
#include "kernel_tails.h"
#include "kernel_ticks.h"
#include "own_files.h"
#include "slots.h"
#include "timed_contexts.h"
#include "vec.h"

enum { GENERATION_UNKNOWN = 0x8000 };

enum { LOCK_CLASSES = CPROF_LOCK_JOIN + 1 };

struct lock_waits { /* for one lock, of all threads and times */
	uint64_t ns[LOCK_CLASSES];
};

struct kernel_facts_private {
	struct number_map trace_of;   /* (kernel file, tgid, generation) -> trace */
	struct number_map stranger_of, sum_of, sample_of, off_of;
	struct kernel_tails tails;
	struct number_map lock_of;    /* (kernel file, image, address) -> lock */
	struct lock_waits *locks;
	size_t nr_locks, locks_capacity;
	size_t sums_capacity, samples_capacity, offs_capacity, strangers_capacity;
};

/* One pass over one kernel file. */
struct facts_build {
	struct kernel_facts *facts;
	const struct session *session;
	const struct profile_options *options;
	struct kernel_names *names;
	struct own_files own_files;
	struct timed_contexts *timed; /* NULL: no record needs it */
	uint64_t *own_threads;     /* (tgid, tid) of the profiler's own in the file, in order */
	size_t nr_own_threads;
	uint32_t kernel;
	uint64_t from_ns, to_ns;   /* of the records taken */
};

/* --- places --- */

/* An image that has not registered yet is known by its process alone: it is the trace's if the process has just one. */
static uint32_t trace_of_process(const struct kernel_facts *facts, const struct session *session, struct kernel_image image)
{
	uint32_t found = FACT_NO_TRACE;

	for (uint32_t i = 0; i < facts->nr_traces; i++) {
		if (facts->traces[i].kernel.file != session_kernel(session, image.kernel) || facts->traces[i].kernel.tgid != image.tgid)
			continue;
		if (found != FACT_NO_TRACE)
			return FACT_NO_TRACE;
		found = i;
	}
	return found;
}

/* Of an image that its preloaded library says to have no runtime, and so no trace: that the process has one, or had, does not make it this image's. */
static bool is_without_trace(const struct facts_build *build, struct kernel_image image, const struct cprof_who *who)
{
	const struct cprof_kernel_process *process;

	if (who->quality != CPROF_QUALITY_NO_RUNTIME)
		return false;
	process = kernel_file_process(session_kernel(build->session, image.kernel), image.tgid, image.generation);
	return process && process->flags & CPROF_KERNEL_PROCESS_CALLS;
}

static uint32_t trace_of(const struct kernel_facts *facts, const struct session *session, struct kernel_image image)
{
	uint32_t trace = number_map_find(&facts->private_data->trace_of, (struct number_key){ image.kernel, image.tgid, image.generation });

	if (trace == NUMBER_MAP_NONE && image.generation & GENERATION_UNKNOWN)
		return trace_of_process(facts, session, image);
	return trace == NUMBER_MAP_NONE ? FACT_NO_TRACE : trace;
}

static struct cprof_error *stranger_note(struct kernel_facts *facts, struct kernel_image image)
{
	struct number_key key = { image.kernel, image.tgid, image.generation };
	const struct fact_place place = { image, FACT_NO_TRACE, 0, 0 };

	if (number_map_find(&facts->private_data->stranger_of, key) != NUMBER_MAP_NONE)
		return NULL;
	if (!vec_reserve(&facts->strangers, &facts->private_data->strangers_capacity, facts->nr_strangers + 1, sizeof place))
		return &cprof_enomem;
	facts->strangers[facts->nr_strangers] = place;
	return number_map_add(&facts->private_data->stranger_of, key, (uint32_t)facts->nr_strangers++);
}

/* Of a record whose context only the trace knows; its quality is then that of what was found. */
static struct fact_place timed_place(const struct facts_build *build, struct cprof_who *who, uint64_t time_ns, uint64_t stack)
{
	struct fact_place place;
	uint32_t trace, context;

	memset(&place, 0, sizeof place);
	place.image = (struct kernel_image){ build->kernel, who->tgid, who->generation };
	if (timed_contexts_find(build->timed, session_kernel(build->session, build->kernel), who, time_ns, &trace, &context)) {
		place.trace = trace;
		place.context = context;
	} else { /* a thread that made no call, or a program without traces */
		place.trace = trace_of(build->facts, build->session, place.image);
		if (place.trace != FACT_NO_TRACE && time_ns >= session_trace_kernel(build->session, place.trace).end_ns) /* an image without a trace */
			place.trace = FACT_NO_TRACE;
		who->quality = place.trace == FACT_NO_TRACE ? CPROF_QUALITY_NO_RUNTIME : CPROF_QUALITY_UNREGISTERED;
	}
	if (!place.context)
		place.stack = stack;
	return place;
}

static struct fact_place place_of(const struct facts_build *build, const struct cprof_who *who, uint64_t stack)
{
	const struct kernel_facts *facts = build->facts;
	struct fact_place place;

	memset(&place, 0, sizeof place); /* it is a part of keys */
	place.image = (struct kernel_image){ build->kernel, who->tgid, who->generation };
	place.trace = is_without_trace(build, place.image, who) ? FACT_NO_TRACE : trace_of(facts, build->session, place.image);
	if (place.trace != FACT_NO_TRACE && who->context && who->context < facts->traces[place.trace].nr_contexts)
		place.context = who->context;
	if (!place.context)
		place.stack = stack;
	return place;
}

/* Whether records of this thread are asked for. tid 0: sums of a whole process. */
static bool is_chosen(const struct facts_build *build, const struct fact_place *place, uint32_t tid)
{
	const struct trace_tables *tables;
	const bool *threads;

	if (!build->options->threads)
		return true;
	if (place->trace == FACT_NO_TRACE || !tid)
		return false;
	threads = build->options->threads[place->trace];
	tables = trace_tables(session_trace(build->session, place->trace));
	for (size_t i = 0; i < tables->nr_threads; i++)
		if (tables->threads[i].kernel_tid == tid)
			return threads[i];
	return false;
}

static bool is_in_range(const struct facts_build *build, uint64_t ns)
{
	return ns >= build->from_ns && ns < build->to_ns;
}

static void quality_count(struct kernel_facts *facts, enum fact_source source, uint8_t quality, uint64_t count)
{
	facts->qualities[source][quality < NR_FACT_QUALITIES ? quality : CPROF_QUALITY_NONE] += count;
}

/* To a context of its trace; those of strangers are only in the facts. */
static struct cprof_error *metric_add(struct kernel_facts *facts, const struct fact_place *place, enum call_metric metric, uint64_t value)
{
	struct facts_of_trace *trace;

	if (place->trace == FACT_NO_TRACE || !value)
		return NULL;
	trace = &facts->traces[place->trace];
	if (!trace->metrics)
		trace->metrics = calloc(trace->nr_contexts, sizeof *trace->metrics);
	if (!trace->metrics)
		return &cprof_enomem;
	trace->metrics[place->context][metric] += value;
	return NULL;
}

/*
 * The fact with this key, made empty if there is none. A fact begins with what makes its key; the rest are its sums. Facts of equal 128-bit hash
 * are taken for equal.
 */
static struct cprof_error *fact_find(struct number_map *map, void *facts, size_t *nr, size_t *capacity, size_t fact_bytes, const void *key, size_t key_bytes,
				     void **ret)
{
	XXH128_hash_t hash = XXH3_128bits(key, key_bytes);
	struct number_key number = { hash.low64, hash.high64, 0 };
	uint32_t index = number_map_find(map, number);
	struct cprof_error *error;
	uint8_t *base;

	if (index == NUMBER_MAP_NONE) {
		if (!vec_reserve(facts, capacity, *nr + 1, fact_bytes))
			return &cprof_enomem;
		memcpy(&base, facts, sizeof base);
		error = number_map_add(map, number, (uint32_t)*nr);
		if (error)
			return error;
		memcpy(base + *nr * fact_bytes, key, fact_bytes);
		index = (uint32_t)(*nr)++;
	}
	memcpy(&base, facts, sizeof base);
	*ret = base + index * fact_bytes;
	return NULL;
}

/* --- records --- */

static struct cprof_error *take_sample(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct facts_build *build = context;
	struct kernel_facts *facts = build->facts;
	struct cprof_kernel_sample sample;
	struct sample_fact key, *fact;
	struct cprof_error *error;
	void *found = NULL;

	(void)header;
	memcpy(&sample, record, sizeof sample);
	memset(&key, 0, sizeof key);
	key.place = sample.who.quality == CPROF_QUALITY_TIMED ? timed_place(build, &sample.who, sample.time_ns, 0) : place_of(build, &sample.who, 0);
	if (!is_in_range(build, sample.time_ns) || !is_chosen(build, &key.place, sample.who.tid))
		return NULL;
	key.place.stack = sample.user_stack; /* with a context, too: frames below its function continue the path */
	key.kernel_stack = sample.kernel_stack;
	key.in_kernel = sample.flags & CPROF_SAMPLE_KERNEL;
	key.probe = sample.flags & CPROF_SAMPLE_PROBE;
	if (key.probe)
		error = kernel_names_runtime(build->names, &key.leaf);
	else
		error = kernel_names_frame(build->names, key.place.image, sample.ip, key.in_kernel ? ADDRESS_OF_KERNEL : ADDRESS_OF_CODE, &key.leaf);
	if (!error && key.place.trace == FACT_NO_TRACE)
		error = stranger_note(facts, key.place.image);
	if (!error)
		error = fact_find(&facts->private_data->sample_of, &facts->samples, &facts->nr_samples, &facts->private_data->samples_capacity, sizeof key, &key,
				  sizeof key, &found);
	if (error)
		return error;
	fact = found;
	fact->count++;
	fact->ns += sample.period_ns;
	facts->samples_probe += key.probe;
	quality_count(facts, FACTS_SAMPLES, sample.who.quality, 1);
	return NULL;
}

void kernel_facts_tail(const struct kernel_facts *facts, uint32_t trace, uint32_t thread, uint64_t *figures)
{
	kernel_tails_get(&facts->private_data->tails, trace, thread, figures);
}

/* The thread that writes the trace out makes no calls, and waits nearly all the time: its waiting is nobody's. */
static bool is_own_thread(const struct facts_build *build, const struct cprof_who *who)
{
	uint64_t key = (uint64_t)who->tgid << 32 | who->tid;
	size_t low = 0, high = build->nr_own_threads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (build->own_threads[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < build->nr_own_threads && build->own_threads[low] == key;
}

static int compare_u64(const void *left, const void *right)
{
	uint64_t a, b;

	memcpy(&a, left, sizeof a);
	memcpy(&b, right, sizeof b);
	return a < b ? -1 : a > b;
}

/* With a trace, even if it is not read. */
static bool is_recorded(const struct facts_build *build, struct kernel_image image)
{
	const struct kernel_file *file = session_kernel(build->session, image.kernel);
	const struct cprof_kernel_process *process = kernel_file_process(file, image.tgid, image.generation);

	for (size_t i = 0; i < build->facts->nr_traces; i++)
		if (build->facts->traces[i].kernel.file == file && build->facts->traces[i].kernel.tgid == image.tgid)
			return true;
	return process && process->flags & CPROF_KERNEL_PROCESS_RUNTIME;
}

static struct cprof_error *own_threads_find(struct facts_build *build, const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	free(build->own_threads);
	build->nr_own_threads = 0;
	build->own_threads = malloc((tables->nr_threads + 1) * sizeof *build->own_threads);
	if (!build->own_threads)
		return &cprof_enomem;
	for (size_t i = 0; i < tables->nr_threads; i++)
		if (kernel_thread_is_writer(&tables->threads[i]))
			build->own_threads[build->nr_own_threads++] = (uint64_t)tables->threads[i].tgid << 32 | tables->threads[i].tid;
	qsort(build->own_threads, build->nr_own_threads, sizeof *build->own_threads, compare_u64);
	return NULL;
}

/* A fault behind a thread's last event; the others are in its events. */
static struct cprof_error *take_fault(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct facts_build *build = context;
	struct cprof_kernel_fault fault;

	(void)header;
	memcpy(&fault, record, sizeof fault);
	for (uint32_t i = 0; i < build->facts->nr_traces; i++) {
		const struct facts_of_trace *of = &build->facts->traces[i];

		if (of->timed && of->kernel.file == session_kernel(build->session, build->kernel) && of->kernel.tgid == fault.tgid && fault.time_ns < of->kernel.end_ns)
			kernel_tails_take_fault(&build->facts->private_data->tails, i, &fault);
	}
	return NULL;
}

static struct cprof_error *take_off_cpu(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct facts_build *build = context;
	struct kernel_facts *facts = build->facts;
	struct cprof_kernel_off_cpu off;
	struct off_fact key, *fact;
	struct cprof_error *error = NULL;
	void *found = NULL;

	(void)header;
	memcpy(&off, record, sizeof off);
	if (!kernel_file_is_last_word(session_kernel(build->session, build->kernel), &off))
		return NULL;
	memset(&key, 0, sizeof key);
	key.place = off.who.quality == CPROF_QUALITY_TIMED ? timed_place(build, &off.who, timed_middle_ns(&off), off.user_stack) :
							     place_of(build, &off.who, off.user_stack);
	if (!is_in_range(build, off.time_ns) || !is_chosen(build, &key.place, off.who.tid))
		return NULL;
	if (key.place.trace != FACT_NO_TRACE && facts->traces[key.place.trace].has_slots && !(off.state & (4 | 8)))
		kernel_tails_take(&facts->private_data->tails, key.place.trace, &off);
	if (!key.place.context && is_own_thread(build, &off.who) && is_recorded(build, key.place.image)) {
		facts->off_own_ns += off.blocked_ns;
		return NULL;
	}
	if (off.waker.tgid)
		key.waker = place_of(build, &off.waker, 0);
	key.kernel_stack = off.kernel_stack;
	key.object = (struct cprof_file_id){ off.object, off.device, off.inode_generation };
	if (off.device)
		key.object = kernel_file_last_so_called(session_kernel(build->session, build->kernel), key.object);
	key.syscall = off.syscall;
	key.blocked_class = off.blocked_class < CPROF_BLOCKED_COUNT ? off.blocked_class : CPROF_BLOCKED_OTHER;
	key.state = off.state;
	key.woken_by = off.woken_by;
	if (key.place.trace == FACT_NO_TRACE)
		error = stranger_note(facts, key.place.image);
	if (!error)
		error = fact_find(&facts->private_data->off_of, &facts->offs, &facts->nr_offs, &facts->private_data->offs_capacity, sizeof key, &key, sizeof key,
				  &found);
	if (error)
		return error;
	fact = found;
	fact->count++;
	fact->blocked_ns += off.blocked_ns;
	fact->runq_ns += off.runq_ns;
	fact->max_ns = off.blocked_ns > fact->max_ns ? off.blocked_ns : fact->max_ns;
	fact->open += off.open != 0;
	quality_count(facts, FACTS_OFF_CPU, off.who.quality, 1);
	return off.state & (4 | 8) ? metric_add(facts, &key.place, METRIC_STOPPED, off.blocked_ns) : NULL;
}

/* What a sum means for its context. */
static struct cprof_error *sum_metrics(struct kernel_facts *facts, const struct sum_fact *key, const struct cprof_kernel_sum_value *value)
{
	bool times = key->place.trace != FACT_NO_TRACE && facts->traces[key->place.trace].has_sums;
	const struct fact_place *place = &key->place;
	struct cprof_error *error = NULL;

	switch (key->kind) {
	case CPROF_SUM_OFF_CPU:
		if (!times)
			return NULL;
		error = metric_add(facts, place, METRIC_BLOCKED, value->ns);
		if (!error)
			error = metric_add(facts, place, METRIC_SWITCHES, value->count);
		return error ? error
			     : metric_add(facts, place, METRIC_BLOCKED_LOCK + (key->sub < CPROF_BLOCKED_COUNT ? key->sub : CPROF_BLOCKED_OTHER), value->ns);
	case CPROF_SUM_RUN_QUEUE:
		return times ? metric_add(facts, place, METRIC_RUNQ, value->ns) : NULL;
	case CPROF_SUM_SYSCALL:
		error = metric_add(facts, place, METRIC_IO_BYTES, value->bytes);
		return error ? error : metric_add(facts, place, METRIC_IO_NS, value->ns);
	case CPROF_SUM_LOCK:
		return metric_add(facts, place, METRIC_LOCK_NS, value->ns);
	case CPROF_SUM_FAULT: /* where the trace counts them itself, these are the same ones */
		return place->trace != FACT_NO_TRACE && facts->traces[place->trace].has_slots ? NULL : metric_add(facts, place, METRIC_FAULTS, value->count);
	case CPROF_SUM_ALLOC:
		error = metric_add(facts, place, METRIC_ALLOC_BYTES, value->bytes);
		if (!error)
			error = metric_add(facts, place, METRIC_LEAKED_BYTES, value->bytes);
		return error ? error : metric_add(facts, place, METRIC_ALLOC_CALLS, value->count);
	case CPROF_SUM_FREE:
		error = metric_add(facts, place, METRIC_LEAKED_BYTES, 0 - value->bytes);
		return error ? error : metric_add(facts, place, METRIC_FREED_BYTES, value->bytes);
	}
	return NULL;
}

static struct number_key lock_key(struct kernel_image image, uint64_t address)
{
	return (struct number_key){ image.kernel, (uint64_t)image.tgid << 32 | image.generation, address };
}

static struct cprof_error *lock_note(struct kernel_facts *facts, struct kernel_image image, const struct cprof_kernel_sum *sum)
{
	struct kernel_facts_private *own = facts->private_data;
	uint32_t index;

	if (sum->key.kind != CPROF_SUM_LOCK || sum->key.sub >= LOCK_CLASSES)
		return NULL;
	index = number_map_find(&own->lock_of, lock_key(image, sum->key.object));
	if (index == NUMBER_MAP_NONE) {
		struct cprof_error *error;

		if (!vec_reserve(&own->locks, &own->locks_capacity, own->nr_locks + 1, sizeof *own->locks))
			return &cprof_enomem;
		error = number_map_add(&own->lock_of, lock_key(image, sum->key.object), (uint32_t)own->nr_locks);
		if (error)
			return error;
		index = (uint32_t)own->nr_locks++;
		own->locks[index] = (struct lock_waits){ 0 };
	}
	own->locks[index].ns[sum->key.sub] += sum->value.ns;
	return NULL;
}

uint32_t kernel_facts_lock_class(const struct kernel_facts *facts, struct kernel_image image, uint64_t address)
{
	const struct kernel_facts_private *own = facts->private_data;
	uint32_t index = number_map_find(&own->lock_of, lock_key(image, address)), most = CPROF_LOCK_UNKNOWN;

	for (uint32_t class = 0; index != NUMBER_MAP_NONE && class < LOCK_CLASSES; class++)
		if (own->locks[index].ns[class] > own->locks[index].ns[most])
			most = class;
	return most;
}

static void name_file(const struct kernel_file *file, struct sum_fact *key)
{
	struct cprof_file_id id = kernel_file_last_so_called(file, (struct cprof_file_id){ key->object, key->device, key->other });

	key->object = id.inode;
	key->device = id.device;
	key->other = id.generation;
}

/* A system call that the runtime made for itself: its thread's, which is known by its stack, or in a program's thread, by the file. */
static struct cprof_error *is_own_syscall(struct facts_build *build, const struct sum_fact *key, bool *ret)
{
	const struct fact_place *place = &key->place;
	struct cprof_error *error = NULL;

	*ret = false;
	if (key->kind != CPROF_SUM_SYSCALL)
		return NULL;
	if (key->object)
		error = own_files_has(&build->own_files, build->kernel, (struct cprof_file_id){ key->object, key->device, key->other }, ret);
	if (error || *ret || place->context)
		return error;
	return kernel_names_stack_is_own(build->names, place->image, place->stack, ret);
}

static void total_add(struct fact_total *total, const struct cprof_kernel_sum_value *value)
{
	total->count += value->count;
	total->ns += value->ns;
	total->bytes += value->bytes;
}

static struct cprof_error *take_sum(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct facts_build *build = context;
	struct kernel_facts *facts = build->facts;
	struct cprof_kernel_sum sum;
	struct sum_fact key, *fact;
	struct cprof_error *error = NULL;
	void *found = NULL;
	bool is_own;

	memcpy(&sum, record, sizeof sum);
	memset(&key, 0, sizeof key);
	key.place = place_of(build, &sum.key.who, sum.key.stack);
	error = lock_note(facts, key.place.image, &sum);
	if (error)
		return error;
	if (!is_in_range(build, header->first_tsc / 2 + header->last_tsc / 2))
		return NULL;
	if (!is_chosen(build, &key.place, sum.key.who.tid)) {
		facts->partial |= !sum.key.who.tid;
		return NULL;
	}
	key.kind = sum.key.kind;
	key.sub = sum.key.sub;
	key.device = sum.key.device;
	key.other = sum.key.other;
	key.object = sum.key.object;
	if (sum.key.kind == CPROF_SUM_SYSCALL && sum.key.object)
		name_file(session_kernel(build->session, build->kernel), &key);
	error = is_own_syscall(build, &key, &is_own);
	if (!error && is_own)
		total_add(&facts->own_io, &sum.value);
	if (error || is_own)
		return error;
	if (key.place.trace == FACT_NO_TRACE)
		error = stranger_note(facts, key.place.image);
	if (!error)
		error = fact_find(&facts->private_data->sum_of, &facts->sums, &facts->nr_sums, &facts->private_data->sums_capacity, sizeof key, &key, sizeof key,
				  &found);
	if (error)
		return error;
	fact = found;
	fact->count += sum.value.count;
	fact->ns += sum.value.ns;
	fact->max_ns = sum.value.max_ns > fact->max_ns ? sum.value.max_ns : fact->max_ns;
	fact->bytes += sum.value.bytes;
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		fact->histogram[i] += sum.value.histogram[i];
	quality_count(facts, FACTS_SUMS, sum.key.who.quality, sum.value.count);
	return sum_metrics(facts, &key, &sum.value);
}

/* --- traces --- */

static struct cprof_error *trace_describe(struct kernel_facts *facts, const struct session *session, size_t index)
{
	struct trace *trace = session_trace(session, index);
	const struct trace_tables *tables = trace_tables(trace);
	struct facts_of_trace *of = &facts->traces[index];
	struct kernel_cover cover = kernel_cover_of(session, index);
	uint32_t kernel = 0;

	of->kernel = session_trace_kernel(session, index);
	of->nr_contexts = tables->nr_contexts ? (uint32_t)tables->nr_contexts : 1;
	of->has_slots = tables->sched != NULL;
	for (size_t i = 0; i < tables->nr_threads; i++)
		of->has_slots |= tables->threads[i].kernel_tid != 0;
	of->to_ns = cover.to_ns;
	of->timed = cover.timed;
	if (tables->nr_allocs)
		facts->metrics |= METRIC_BIT(ALLOC_BYTES) | METRIC_BIT(ALLOC_CALLS) | METRIC_BIT(FREED_BYTES) | METRIC_BIT(LEAKED_BYTES);
	if (of->kernel.file) /* slots may be there without anybody who writes into them */
		of->has_slots = of->has_slots && kernel_file_has_source(of->kernel.file, "off-cpu", NULL);
	if (of->has_slots)
		facts->metrics |= METRICS_TIMES;
	if (of->has_slots && (!of->kernel.file || kernel_file_has_source(of->kernel.file, "faults", NULL)))
		facts->metrics |= METRIC_BIT(FAULTS);
	if (!of->kernel.file || !of->kernel.tgid)
		return NULL;
	of->has_sums = !of->has_slots && kernel_file_has_source(of->kernel.file, "off-cpu", NULL);
	if (of->has_sums) {
		facts->metrics |= METRICS_TIMES;
		of->from_ns = cover.from_ns;
	}
	if (of->timed)
		of->from_ns = cover.from_ns;
	while (session_kernel(session, kernel) != of->kernel.file)
		kernel++;
	struct number_key key = { kernel, of->kernel.tgid, of->kernel.generation };

	return number_map_find(&facts->private_data->trace_of, key) == NUMBER_MAP_NONE ? number_map_add(&facts->private_data->trace_of, key, (uint32_t)index) : NULL;
}

static struct cprof_error *take_allocs(struct kernel_facts *facts, const struct trace_tables *tables, uint32_t trace)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < tables->nr_allocs; i++) {
		const struct cprof_alloc *alloc = &tables->allocs[i];
		struct fact_place place = { .trace = trace, .context = alloc->context < facts->traces[trace].nr_contexts ? alloc->context : 0 };

		error = metric_add(facts, &place, METRIC_ALLOC_BYTES, alloc->bytes);
		if (!error)
			error = metric_add(facts, &place, METRIC_ALLOC_CALLS, alloc->calls);
		if (!error)
			error = metric_add(facts, &place, METRIC_FREED_BYTES, alloc->freed_bytes);
		if (!error && alloc->bytes > alloc->freed_bytes)
			error = metric_add(facts, &place, METRIC_LEAKED_BYTES, alloc->bytes - alloc->freed_bytes);
	}
	return error;
}

/* --- all of it --- */

static void sources_note(struct kernel_facts *facts, const struct kernel_file *file)
{
	static const struct {
		const char *source;
		uint32_t metrics;
	} sources[] = {
		{ "cpu", METRIC_BIT(SAMPLES) | METRIC_BIT(SAMPLED) },
		{ "io", METRIC_BIT(IO_BYTES) | METRIC_BIT(IO_NS) },
		{ "locks", METRIC_BIT(LOCK_NS) },
		{ "faults", METRIC_BIT(FAULTS) },
	};

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (kernel_file_has_source(file, sources[i].source, NULL))
			facts->metrics |= sources[i].metrics;
	facts->has_off_cpu |= kernel_file_has_source(file, "off-cpu", NULL);
}

static struct cprof_error *kernel_read(struct facts_build *build, uint32_t kernel)
{
	static const struct {
		uint16_t kind;
		kernel_file_take *take;
	} kinds[] = { { CPROF_CHUNK_KERNEL_SAMPLES, take_sample }, { CPROF_CHUNK_KERNEL_OFF_CPU, take_off_cpu }, { CPROF_CHUNK_KERNEL_SUMS, take_sum },
		      { CPROF_CHUNK_KERNEL_FAULTS, take_fault } };
	struct kernel_file *file = session_kernel(build->session, kernel);
	struct cprof_error *error = own_threads_find(build, file);

	build->kernel = kernel;
	sources_note(build->facts, file);
	for (size_t i = 0; !error && i < sizeof kinds / sizeof *kinds; i++)
		error = kernel_file_each(file, kinds[i].kind, kinds[i].take, build);
	return error;
}

static bool has_allocs(const struct kernel_facts *facts)
{
	for (size_t i = 0; i < facts->nr_sums; i++)
		if (facts->sums[i].kind == CPROF_SUM_ALLOC)
			return true;
	return false;
}

static void range_set(struct facts_build *build)
{
	const struct profile_options *options = build->options;
	const struct trace *first = session_nr_traces(build->session) ? session_trace(build->session, 0) : NULL;

	build->to_ns = UINT64_MAX;
	bool ends = options->to_ticks && options->to_ticks != UINT64_MAX;

	if (!first || (!options->from_ticks && !ends))
		return;
	build->from_ns = kernel_ns(first, options->from_ticks);
	build->to_ns = ends ? kernel_ns(first, options->to_ticks) : UINT64_MAX;
	build->facts->windowed = true;
}

static struct cprof_error *facts_fill(struct facts_build *build)
{
	struct kernel_facts *facts = build->facts;
	bool whole = !build->options->threads;
	struct cprof_error *error = NULL;

	range_set(build);
	error = timed_contexts_create(build->session, &build->timed);
	for (size_t i = 0; !error && i < facts->nr_traces; i++)
		error = trace_describe(facts, build->session, i);
	if (!error)
		error = kernel_tails_init(&facts->private_data->tails, facts->nr_traces);
	for (uint32_t i = 0; !error && i < facts->nr_traces; i++)
		error = kernel_tails_add_trace(&facts->private_data->tails, i, session_trace(build->session, i));
	for (uint32_t i = 0; !error && i < session_nr_kernels(build->session); i++)
		error = kernel_read(build, i);
	whole = whole && !facts->windowed;
	for (uint32_t i = 0; !error && whole && i < facts->nr_traces; i++)
		error = take_allocs(facts, trace_tables(session_trace(build->session, i)), i);
	if (has_allocs(facts))
		facts->metrics |= METRIC_BIT(ALLOC_BYTES) | METRIC_BIT(ALLOC_CALLS) | METRIC_BIT(FREED_BYTES) | METRIC_BIT(LEAKED_BYTES);
	else if (!whole) /* sums over the process's life */
		facts->metrics &= ~(METRIC_BIT(ALLOC_BYTES) | METRIC_BIT(ALLOC_CALLS) | METRIC_BIT(FREED_BYTES) | METRIC_BIT(LEAKED_BYTES));
	if (facts->partial)
		facts->metrics &= ~(METRIC_BIT(IO_BYTES) | METRIC_BIT(IO_NS) | METRIC_BIT(LOCK_NS));
	return error;
}

struct cprof_error *kernel_facts_create(const struct session *session, const struct profile_options *options, struct kernel_names *names,
					struct kernel_facts **ret)
{
	struct kernel_facts *facts = calloc(1, sizeof *facts);
	struct facts_build build = { .facts = facts, .session = session, .options = options, .names = names };
	struct cprof_error *error = &cprof_enomem;

	if (facts) {
		facts->nr_traces = session_nr_traces(session);
		facts->traces = calloc(facts->nr_traces + 1, sizeof *facts->traces);
		own_files_init(&build.own_files, session);
		facts->private_data = calloc(1, sizeof *facts->private_data);
		if (facts->traces && facts->private_data)
			error = facts_fill(&build);
	}
	if (!error)
		*ret = facts->metrics || session_nr_kernels(session) ? facts : NULL;
	timed_contexts_destroy(build.timed);
	free(build.own_threads);
	own_files_deinit(&build.own_files);
	if (error || !*ret)
		kernel_facts_destroy(facts);
	return error;
}

void kernel_facts_destroy(struct kernel_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; facts->traces && i < facts->nr_traces; i++)
		free(facts->traces[i].metrics);
	if (facts->private_data) {
		number_map_deinit(&facts->private_data->trace_of);
		number_map_deinit(&facts->private_data->stranger_of);
		number_map_deinit(&facts->private_data->sum_of);
		number_map_deinit(&facts->private_data->sample_of);
		number_map_deinit(&facts->private_data->off_of);
		number_map_deinit(&facts->private_data->lock_of);
		free(facts->private_data->locks);
		kernel_tails_deinit(&facts->private_data->tails);
	}
	free(facts->private_data);
	free(facts->traces);
	free(facts->sums);
	free(facts->samples);
	free(facts->offs);
	free(facts->strangers);
	free(facts);
}
