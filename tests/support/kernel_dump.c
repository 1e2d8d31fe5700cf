/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_dump FILE.bpf.lz4: the kernel half as lines of JSON, one per record, for tests to ask questions of with jq. Names of fields are those of
 * format/kernel_format.h. Not part of the product.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel_file.h"
#include "slots.h"

static void put_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void put_who(const char *name, const struct cprof_who *who)
{
	printf(",\"%s\":{\"tgid\":%u,\"tid\":%u,\"context\":%u,\"generation\":%u,\"quality\":%u}", name, who->tgid, who->tid, who->context, who->generation,
	       who->quality);
}

static void put_path(const struct kernel_file *file, uint64_t inode, uint32_t device, uint32_t generation)
{
	const char *path = kernel_file_name(file, (struct cprof_file_id){ inode, device, generation });

	printf(",\"device\":%u,\"inode\":%" PRIu64 ",\"inode_generation\":%u", device, inode, generation);
	if (path) {
		printf(",\"path\":");
		put_text(path);
	}
}

static struct cprof_error *put_sum(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_sum *sum = record;
	const char *separator = "";

	(void)header;
	printf("{\"record\":\"sum\",\"kind\":%u,\"sub\":%u", sum->key.kind, sum->key.sub);
	put_who("who", &sum->key.who);
	put_path(context, sum->key.object, sum->key.device, sum->key.kind == CPROF_SUM_LOCK ? 0 : sum->key.other);
	printf(",\"other\":%u,\"stack\":%" PRIu64 ",\"count\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"max_ns\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"histogram\":[",
	       sum->key.other, sum->key.stack, sum->value.count, sum->value.ns, sum->value.max_ns, sum->value.bytes);
	for (uint32_t i = 0; i < CPROF_SUM_BUCKETS; i++, separator = ",")
		printf("%s%u", separator, sum->value.histogram[i]);
	printf("]}\n");
	return NULL;
}

static struct cprof_error *put_io(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_io *io = record;

	(void)header;
	printf("{\"record\":\"io\",\"time_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64, io->time_ns, io->duration_ns);
	put_who("who", &io->who);
	put_path(context, io->file.inode, io->file.device, io->file.generation);
	printf(",\"result\":%" PRId64 ",\"syscall\":%u,\"fd\":%d,\"open\":%u}\n", io->result, io->syscall, io->fd, io->open);
	return NULL;
}

static struct cprof_error *put_block(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_block *block = record;

	(void)header;
	printf("{\"record\":\"block\",\"time_ns\":%" PRIu64 ",\"queue_ns\":%" PRIu64 ",\"device_ns\":%" PRIu64, block->time_ns, block->queue_ns, block->device_ns);
	put_who("who", &block->who);
	put_path(context, block->inode, block->device, block->inode_generation);
	printf(",\"sector\":%" PRIu64 ",\"bytes\":%u,\"op\":%u,\"error\":%d}\n", block->sector, block->bytes, block->op, block->error);
	return NULL;
}

static struct cprof_error *put_lock(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_lock *lock = record;

	(void)context;
	(void)header;
	printf("{\"record\":\"lock\",\"time_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64, lock->time_ns, lock->duration_ns);
	put_who("who", &lock->who);
	put_who("holder", &lock->holder);
	printf(",\"address\":%" PRIu64 ",\"ip\":%" PRIu64 ",\"op\":%u,\"result\":%d,\"lock_class\":%u,\"open\":%u}\n", lock->address, lock->ip, lock->op,
	       lock->result, lock->lock_class, lock->open);
	return NULL;
}

static struct cprof_error *put_off_cpu(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_off_cpu *off = record;

	(void)header;
	printf("{\"record\":\"off_cpu\",\"time_ns\":%" PRIu64 ",\"blocked_ns\":%" PRIu64 ",\"runq_ns\":%" PRIu64, off->time_ns, off->blocked_ns, off->runq_ns);
	put_who("who", &off->who);
	put_who("waker", &off->waker);
	put_path(context, off->object, off->device, off->inode_generation);
	printf(",\"syscall\":%u,\"blocked_class\":%u,\"state\":%u,\"open\":%u,\"woken_by\":%u}\n", off->syscall, off->blocked_class, off->state, off->open,
	       off->woken_by);
	return NULL;
}

/* Where the thread was in user code, and of which file that was: none has no "module". */
static void put_place(const struct kernel_file *file, const struct cprof_kernel_sample *sample)
{
	const struct kernel_stack *stack = kernel_file_stack(file, sample->user_stack);
	uint64_t address = stack && stack->nr_addresses ? stack->addresses[0] : sample->flags & CPROF_SAMPLE_KERNEL ? 0 : sample->ip;
	const struct kernel_module *module = kernel_file_module(file, sample->who.tgid, sample->who.generation, address);
	char path[CPROF_MODULE_PATH_MAX + 1];

	printf(",\"user_ip\":%" PRIu64, address);
	if (!module)
		return;
	snprintf(path, sizeof path, "%.*s", (int)module->module.path_bytes, module->module.path);
	printf(",\"file_address\":%" PRIu64 ",\"module\":", address - module->module.bias);
	put_text(path);
}

static struct cprof_error *put_sample(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_sample *sample = record;

	(void)header;
	printf("{\"record\":\"sample\",\"time_ns\":%" PRIu64 ",\"ip\":%" PRIu64 ",\"kernel\":%u", sample->time_ns, sample->ip, sample->flags & CPROF_SAMPLE_KERNEL);
	put_who("who", &sample->who);
	printf(",\"user_stack\":%" PRIu64 ",\"kernel_stack\":%" PRIu64 ",\"period_ns\":%" PRIu64 ",\"cpu\":%u", sample->user_stack, sample->kernel_stack,
	       sample->period_ns, sample->cpu);
	put_place(context, sample);
	printf("}\n");
	return NULL;
}

static void put_tables(const struct kernel_tables *tables)
{
	for (size_t i = 0; i < tables->nr_processes; i++) {
		const struct cprof_kernel_process *process = &tables->processes[i];

		printf("{\"record\":\"process\",\"tgid\":%u,\"pid\":%u,\"parent_tgid\":%u,\"generation\":%u,\"flags\":%u", process->tgid, process->pid,
		       process->parent_tgid, process->generation, process->flags);
		printf(",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"exit_status\":%d,\"name\":", process->start_ns, process->end_ns, process->exit_status);
		put_text(process->name);
		printf("}\n");
	}
	for (size_t i = 0; i < tables->nr_threads; i++) {
		const struct cprof_kernel_thread *thread = &tables->threads[i];

		printf("{\"record\":\"thread\",\"tgid\":%u,\"tid\":%u,\"ns_tid\":%u,\"slot\":%u,\"generation\":%u,\"on_cpu_ns\":%" PRIu64 ",\"switches\":%" PRIu64,
		       thread->tgid, thread->tid, thread->ns_tid, thread->slot, thread->generation, thread->on_cpu_ns, thread->switches);
		printf(",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"runq_ns\":%" PRIu64 ",\"suspended_ns\":%" PRIu64 ",\"faults\":%" PRIu64
		       ",\"samples\":%" PRIu64 ",\"blocked_ns\":[",
		       thread->start_ns, thread->end_ns, thread->runq_ns, thread->suspended_ns, thread->faults, thread->samples);
		for (size_t class = 0; class < CPROF_BLOCKED_COUNT; class++)
			printf("%s%" PRIu64, class ? "," : "", thread->blocked_ns[class]);
		printf("],\"name\":");
		put_text(thread->name);
		printf("}\n");
	}
	for (size_t i = 0; i < tables->nr_sources; i++) {
		printf("{\"record\":\"source\",\"on\":%u,\"value\":%u,\"name\":", tables->sources[i].on, tables->sources[i].value);
		put_text(tables->sources[i].name);
		printf(",\"why\":");
		put_text(tables->sources[i].why);
		printf("}\n");
	}
	for (size_t i = 0; i < tables->nr_counters; i++) {
		printf("{\"record\":\"counter\",\"value\":%" PRIu64 ",\"is_loss\":%u,\"name\":", tables->counters[i].value, tables->counters[i].is_loss);
		put_text(tables->counters[i].name);
		printf("}\n");
	}
	if (tables->end)
		printf("{\"record\":\"end\",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"recorder_cpu_ns\":%" PRIu64 ",\"records\":%" PRIu64 "}\n",
		       tables->end->start_ns, tables->end->end_ns, tables->end->recorder_cpu_ns, tables->end->records);
}

static struct cprof_error *dump(const char *path, struct kernel_file **file)
{
	static const struct {
		uint16_t kind;
		kernel_file_take *put;
	} kinds[] = {
		{ CPROF_CHUNK_KERNEL_SUMS, put_sum },	{ CPROF_CHUNK_KERNEL_IO, put_io },	    { CPROF_CHUNK_KERNEL_BLOCK, put_block },
		{ CPROF_CHUNK_KERNEL_LOCKS, put_lock }, { CPROF_CHUNK_KERNEL_OFF_CPU, put_off_cpu }, { CPROF_CHUNK_KERNEL_SAMPLES, put_sample },
	};
	struct cprof_error *error = kernel_file_open(path, file);

	if (error)
		return error;
	put_tables(kernel_file_tables(*file));
	for (size_t i = 0; !error && i < sizeof kinds / sizeof *kinds; i++)
		error = kernel_file_each(*file, kinds[i].kind, kinds[i].put, *file);
	return error;
}

int main(int argc, char **argv)
{
	struct kernel_file *file = NULL;
	struct cprof_error *error;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE.bpf.lz4\n", argv[0]);
		return 2;
	}
	error = dump(argv[1], &file);
	if (error)
		cprof_error_print(error, argv[0]);
	kernel_file_close(file);
	return error != NULL;
}
