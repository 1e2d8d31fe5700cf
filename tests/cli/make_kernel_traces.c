/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs with a kernel half for the CLI tests. 1 tick = 1 ns; the trace's tick 1000 is CLOCK_MONOTONIC 5 s.
 *
 *   recorded.lz4, recorded.bpf.lz4
 *       main (1) calls load (2) and serve (3); serve calls save (4); the worker (5) calls grab (6). Under cprof-record: serve waits for a lock that the worker's
 *       grab holds, save writes and syncs a file, load allocates. Samples lie in load, in memcpy and in the kernel below save. The worker has no slot: nothing is
 *       known of its time. A second process, "helper", was not traced.
 *   alone.bpf.lz4
 *       a recording without any trace
 *   cut_kernel.lz4, cut_kernel.bpf.lz4: the recorder was killed
 *   only_cpu.lz4, only_cpu.bpf.lz4: CPU samples and nothing else
 *   stopped.lz4: it was stopped half way; nothing else of it is left
 *   waiting.lz4, waiting.bpf.lz4
 *       serve (of the first thread) and grab (of one that got the first one's tid when that had ended) wait when no event comes any more
 *   deep.lz4
 *       main calls itself 50,000 times and tiny at each level, followed by cprof-record
 */
#include "make_kernel_traces.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_builder.h"
#include "slots.h"

enum { MAIN = 0x1000, LOAD = 0x2000, SERVE = 0x3000, SAVE = 0x4000, WORKER = 0x5000, GRAB = 0x6000, TINY = 0x7000 };
enum { C_MAIN = 1, C_LOAD, C_SERVE, C_SAVE, C_WORKER, C_GRAB, C_TINY };
enum { TGID = 500, HELPER = 600, DISK = 8 << 20 | 1, LOG_INODE = 4242, LOCK_ADDRESS = 0x7f00 };
enum { SYSCALL_WRITE = 1, SYSCALL_FSYNC = 74, MS = 1000000 };

#define MONOTONIC(ticks) (5000000000ull + (ticks) - 1000)
#define KERNEL_FSYNC 0xffffffff81200040ull
#define KERNEL_BLOCK 0xffffffff81300080ull
#define LIBC_MEMCPY 0x7f0000001234ull

static const uint8_t session_id[16] = { 0xC0, 0xFF, 0xEE };

static void sched(struct trace_builder *builder, uint32_t thread, uint32_t figure, uint64_t sum)
{
	if (sum >> CPROF_SCHED_VALUE_BITS)
		trace_builder_escape(builder, thread, CPROF_ESCAPE_SCHED, (uint32_t)(CPROF_SCHED_HIGH << 28) | (uint32_t)(sum >> CPROF_SCHED_VALUE_BITS));
	trace_builder_escape(builder, thread, CPROF_ESCAPE_SCHED, figure << 28 | (uint32_t)(sum & 0xFFFFFFF));
}

/* stopped_ns: when the recorder ended, 0: after the process. */
static struct trace_builder *make_trace(uint64_t stopped_ns)
{
	struct trace_builder_options options = { .pid = 1234 };
	const struct cprof_sched record = { .attached_ns = 5000000000ull, .heartbeat_ns = 7000000000ull, .stopped_ns = stopped_ns, .threads = 1, .threads_without_slot = 1,
					    .kernel_tgid = TGID };
	const struct cprof_alloc allocs[] = {
		{ .context = C_LOAD, .calls = 1000, .bytes = 4096000, .freed_calls = 990, .freed_bytes = 4055040, .peak_bytes = 80000, .bytes_at_peak = 40960,
		  .temporary_calls = 900 },
		{ .context = C_GRAB, .calls = 2, .bytes = 128, .freed_calls = 2, .freed_bytes = 128, .peak_bytes = 64 },
		{ .context = 0, .calls = 1, .bytes = 72704, .peak_bytes = 72704, .bytes_at_peak = 72704 },
	};
	struct trace_builder *builder;
	uint64_t now = 10000;

	memcpy(options.session, session_id, sizeof session_id);
	builder = trace_builder_create(&options);
	trace_builder_context(builder, 0, MAIN, 0x500);
	trace_builder_context(builder, C_MAIN, LOAD, 0x1010);
	trace_builder_context(builder, C_MAIN, SERVE, 0x1020);
	trace_builder_context(builder, C_SERVE, SAVE, 0x3010);
	trace_builder_context(builder, 0, WORKER, 0x600);
	trace_builder_context(builder, C_WORKER, GRAB, 0x5010);
	trace_builder_context(builder, C_SAVE, TINY, 0x4010);

	trace_builder_enter(builder, 0, now, C_MAIN);
	trace_builder_enter(builder, 0, now += 1 * MS, C_LOAD);
	sched(builder, 0, CPROF_SCHED_SWITCHES, 3);
	sched(builder, 0, CPROF_SCHED_FAULTS, 20);
	sched(builder, 0, CPROF_SCHED_RUNQ, 5 * MS);
	trace_builder_exit(builder, 0, now += 400 * MS);
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t slow = i >= 197; /* these wait for the lock */

		trace_builder_enter(builder, 0, now += 10000, C_SERVE);
		if (slow) {
			sched(builder, 0, CPROF_SCHED_SWITCHES, 3 + i + (i - 196));
			sched(builder, 0, CPROF_SCHED_BLOCKED + CPROF_BLOCKED_FUTEX, (i - 196) * 30 * MS);
			now += 30 * MS;
		}
		trace_builder_enter(builder, 0, now += 100000, C_SAVE);
		sched(builder, 0, CPROF_SCHED_SWITCHES, 3 + (i + 1) + (slow ? i - 196 : 0));
		sched(builder, 0, CPROF_SCHED_BLOCKED + CPROF_BLOCKED_DISK, (i + 1) * 1 * MS);
		for (int k = 0; k < 20; k++) {
			trace_builder_enter(builder, 0, now += k ? 5 : 1100000, C_TINY);
			trace_builder_exit(builder, 0, now += 20);
		}
		trace_builder_exit(builder, 0, now += 900000);
		trace_builder_exit(builder, 0, now += 50000);
	}
	trace_builder_exit(builder, 0, now += 1 * MS);
	trace_builder_enter(builder, 1, 500000, C_WORKER);
	trace_builder_enter(builder, 1, 1000000, C_GRAB);
	trace_builder_exit(builder, 1, 200 * MS);
	trace_builder_exit(builder, 1, 250 * MS);
	strcpy(trace_builder_thread_record(builder, 0)->name, "app");
	strcpy(trace_builder_thread_record(builder, 1)->name, "worker");
	trace_builder_thread_record(builder, 0)->tid = 100;
	trace_builder_thread_record(builder, 1)->tid = 101;
	trace_builder_thread_record(builder, 0)->kernel_tgid = TGID;
	trace_builder_thread_record(builder, 0)->kernel_tid = TGID;
	trace_builder_table(builder, CPROF_CHUNK_SCHED, 0, 1, &record, sizeof record);
	trace_builder_table(builder, CPROF_CHUNK_ALLOC, 0, 3, allocs, sizeof allocs);
	trace_builder_end(builder);
	return builder;
}

static struct cprof_who who(uint32_t tgid, uint32_t tid, uint32_t context, uint8_t quality)
{
	return (struct cprof_who){ .tgid = tgid, .tid = tid, .context = context, .quality = quality };
}

static void add_samples(struct kernel_builder *builder, uint64_t count, struct cprof_kernel_sample sample)
{
	sample.period_ns = 10 * MS;
	for (uint64_t i = 0; i < count; i++) {
		sample.time_ns = MONOTONIC(2 * MS + i * 10 * MS);
		kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
	}
}

static void add_sum(struct kernel_builder *builder, struct cprof_who of, enum cprof_sum_kind kind, uint32_t sub, uint64_t count, uint64_t each_ns, uint64_t bytes,
		    uint64_t object, uint32_t device, uint32_t other)
{
	struct cprof_kernel_sum sum = { .key = { .who = of, .kind = kind, .sub = sub, .object = object, .device = device, .other = other } };
	unsigned bucket = each_ns ? 63 - (unsigned)__builtin_clzll(each_ns) : 0;

	sum.value.count = count;
	sum.value.ns = count * each_ns;
	sum.value.max_ns = each_ns;
	sum.value.bytes = bytes;
	sum.value.histogram[bucket < CPROF_SUM_BUCKETS ? bucket : CPROF_SUM_BUCKETS - 1] = (uint32_t)count;
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
}

static void add_off(struct kernel_builder *builder, struct cprof_kernel_off_cpu off)
{
	off.time_ns = MONOTONIC(600 * MS);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_OFF_CPU, &off, sizeof off);
}

static void add_threads(struct kernel_builder *builder)
{
	struct cprof_kernel_process app = { .tgid = TGID, .pid = 1234, .flags = CPROF_KERNEL_PROCESS_RUNTIME | CPROF_KERNEL_PROCESS_TARGET, .name = "app" };
	struct cprof_kernel_process helper = { .tgid = HELPER, .pid = 1300, .parent_tgid = TGID, .name = "helper" };
	struct cprof_kernel_thread main_thread = { .tgid = TGID, .tid = TGID, .ns_tid = 100, .slot = 1, .start_ns = MONOTONIC(10000), .end_ns = MONOTONIC(926690000),
						   .on_cpu_ns = 631680000, .runq_ns = 5 * MS, .blocked_ns = { 90 * MS, 200 * MS }, .switches = 206, .faults = 20,
						   .samples = 60, .name = "app" };
	struct cprof_kernel_thread worker = { .tgid = TGID, .tid = TGID + 1, .ns_tid = 101, .start_ns = MONOTONIC(500000), .end_ns = MONOTONIC(250 * MS),
					      .on_cpu_ns = 249 * MS, .runq_ns = 100000, .name = "worker" };

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &app, sizeof app);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &helper, sizeof helper);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_THREADS, &main_thread, sizeof main_thread);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_THREADS, &worker, sizeof worker);
}

static void add_names(struct kernel_builder *builder)
{
	const uint64_t fsync_stack[] = { KERNEL_BLOCK, KERNEL_FSYNC }, memcpy_stack[] = { LIBC_MEMCPY, LOAD + 0x40, MAIN + 0x10 };
	const uint64_t helper_stack[] = { LIBC_MEMCPY, 0x900010 };

	kernel_builder_stack(builder, 11, true, fsync_stack, 2);
	kernel_builder_stack(builder, 12, false, memcpy_stack, 3);
	kernel_builder_stack(builder, 13, false, helper_stack, 2);
	kernel_builder_symbol(builder, KERNEL_BLOCK, KERNEL_BLOCK - 0x80, "submit_bio_wait");
	kernel_builder_symbol(builder, KERNEL_FSYNC, KERNEL_FSYNC - 0x40, "do_fsync");
	kernel_builder_file(builder, (struct cprof_file_id){ LOG_INODE, DISK, 0 }, "/var/log/app.log");
	kernel_builder_module(builder, TGID, 0, "/lib/libc-of-the-test.so", 0x7f0000001000, 0x7f0000100000, 0x7f0000000000);
	kernel_builder_module(builder, HELPER, 0, "/lib/libc-of-the-test.so", 0x7f0000001000, 0x7f0000100000, 0x7f0000000000);
}

static void add_sources(struct kernel_builder *builder)
{
	kernel_builder_source(builder, "cpu", true, 100, "");
	kernel_builder_source(builder, "off-cpu", true, 1000, "");
	kernel_builder_source(builder, "io", true, 10000, "");
	kernel_builder_source(builder, "block", true, 0, "");
	kernel_builder_source(builder, "locks", true, 1000, "");
	kernel_builder_source(builder, "faults", true, 0, "");
	kernel_builder_source(builder, "memory", true, 0, "by the interposer");
	kernel_builder_loss(builder, "samples.produced", 70, false);
	kernel_builder_loss(builder, "samples.lost", 2, true);
	kernel_builder_loss(builder, "sums.full", 0, true);
}

static struct kernel_builder *make_kernel(void)
{
	struct kernel_builder *builder = kernel_builder_create(session_id);
	struct cprof_who main_load = who(TGID, TGID, C_LOAD, CPROF_QUALITY_SLOT), main_save = who(TGID, TGID, C_SAVE, CPROF_QUALITY_SLOT);
	struct cprof_who main_serve = who(TGID, TGID, C_SERVE, CPROF_QUALITY_SAVED), grab = who(TGID, TGID + 1, C_GRAB, CPROF_QUALITY_TLS);

	add_threads(builder);
	add_names(builder);
	add_samples(builder, 30, (struct cprof_kernel_sample){ .who = main_load, .ip = LOAD + 0x40 });
	add_samples(builder, 10, (struct cprof_kernel_sample){ .who = main_load, .ip = LIBC_MEMCPY, .user_stack = 12 });
	add_samples(builder, 18, (struct cprof_kernel_sample){ .who = main_save, .ip = KERNEL_BLOCK, .kernel_stack = 11, .flags = CPROF_SAMPLE_KERNEL });
	add_samples(builder, 2, (struct cprof_kernel_sample){ .who = main_load, .ip = 0x1, .flags = CPROF_SAMPLE_PROBE });
	add_samples(builder, 10, (struct cprof_kernel_sample){ .who = who(HELPER, HELPER, 0, CPROF_QUALITY_NO_RUNTIME), .ip = LIBC_MEMCPY, .user_stack = 13 });
	for (int i = 0; i < 3; i++)
		add_off(builder, (struct cprof_kernel_off_cpu){ .who = main_serve, .blocked_ns = 30 * MS, .waker = grab, .woken_by = CPROF_WOKEN_BY_TASK,
								.object = LOCK_ADDRESS, .state = 1, .syscall = 202, .blocked_class = CPROF_BLOCKED_FUTEX });
	for (int i = 0; i < 200; i++)
		add_off(builder, (struct cprof_kernel_off_cpu){ .who = main_save, .blocked_ns = 1 * MS, .kernel_stack = 11, .object = LOG_INODE, .device = DISK,
								.state = 2, .syscall = SYSCALL_FSYNC, .blocked_class = CPROF_BLOCKED_DISK, .woken_by = CPROF_WOKEN_BY_INTERRUPT });
	add_sum(builder, who(TGID, 0, C_SAVE, CPROF_QUALITY_SLOT), CPROF_SUM_SYSCALL, SYSCALL_WRITE, 200, 20000, 200 * 512, LOG_INODE, DISK, 0);
	add_sum(builder, who(TGID, 0, C_SAVE, CPROF_QUALITY_SLOT), CPROF_SUM_SYSCALL, SYSCALL_FSYNC, 120, 1050000, 0, LOG_INODE, DISK, 0);
	kernel_builder_window(builder, 5000000000ull, 5500000000ull);
	add_sum(builder, who(TGID, 0, C_SAVE, CPROF_QUALITY_SLOT), CPROF_SUM_SYSCALL, SYSCALL_FSYNC, 80, 1050000, 0, LOG_INODE, DISK, 0);
	add_sum(builder, who(TGID, 0, C_SERVE, CPROF_QUALITY_SLOT), CPROF_SUM_LOCK, CPROF_LOCK_MUTEX, 3, 30 * MS, 0, LOCK_ADDRESS, 0, C_GRAB);
	add_sum(builder, who(TGID, 0, C_SAVE, CPROF_QUALITY_SLOT), CPROF_SUM_BLOCK_DEVICE, CPROF_BLOCK_WRITE, 200, 900000, 200 * 4096, LOG_INODE, DISK, 0);
	add_sum(builder, who(TGID, 0, C_SAVE, CPROF_QUALITY_SLOT), CPROF_SUM_BLOCK_QUEUE, CPROF_BLOCK_WRITE, 200, 8000, 0, LOG_INODE, DISK, 0);
	add_sum(builder, who(HELPER, 0, 0, CPROF_QUALITY_NO_RUNTIME), CPROF_SUM_SYSCALL, SYSCALL_WRITE, 5, 3000, 50, 0, 0, 0);
	kernel_builder_window(builder, 5500000000ull, 6500000000ull);
	add_sources(builder);
	return builder;
}

static void add_wait(struct kernel_builder *builder, uint32_t context, uint64_t ticks, uint8_t class, uint64_t blocked_ns, uint64_t runq_ns)
{
	struct cprof_kernel_off_cpu off = { .who = who(TGID, TGID, context, CPROF_QUALITY_SLOT), .time_ns = MONOTONIC(ticks), .blocked_ns = blocked_ns, .runq_ns = runq_ns,
					    .state = 1, .blocked_class = class };

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_OFF_CPU, &off, sizeof off);
}

static void make_waiting(const struct cprof_kernel_end *end)
{
	struct trace_builder_options options = { .pid = 1234 };
	const struct cprof_sched record = { .attached_ns = 5000000000ull, .heartbeat_ns = 7000000000ull, .threads = 3, .kernel_tgid = TGID };
	struct kernel_builder *kernel = kernel_builder_create(session_id);
	struct trace_builder *builder;

	memcpy(options.session, session_id, sizeof session_id);
	builder = trace_builder_create(&options);
	trace_builder_context(builder, 0, MAIN, 0x500);
	trace_builder_context(builder, C_MAIN, SERVE, 0x1020); /* 2 */
	trace_builder_context(builder, 0, WORKER, 0x600);
	trace_builder_context(builder, 3, GRAB, 0x5010); /* 4 */
	trace_builder_enter(builder, 0, 10 * MS, C_MAIN);
	trace_builder_enter(builder, 0, 20 * MS, 2);
	trace_builder_enter(builder, 1, 200 * MS, 3);
	trace_builder_enter(builder, 1, 210 * MS, 4);
	trace_builder_enter(builder, 2, 1 * MS, C_MAIN);
	trace_builder_exit(builder, 2, 280 * MS); /* the trace's end */
	for (uint32_t i = 0; i < 3; i++) {
		trace_builder_thread_record(builder, i)->kernel_tgid = TGID;
		trace_builder_thread_record(builder, i)->kernel_tid = i == 2 ? TGID + 2 : TGID;
	}
	trace_builder_thread_record(builder, 0)->end_tsc = 120 * MS;
	trace_builder_thread_record(builder, 1)->end_tsc = 300 * MS;
	trace_builder_table(builder, CPROF_CHUNK_SCHED, 0, 1, &record, sizeof record);
	trace_builder_end(builder);
	trace_builder_write(builder, "waiting.lz4");
	trace_builder_destroy(builder);
	kernel_builder_source(kernel, "off-cpu", true, 1000, "");
	add_wait(kernel, C_MAIN, 12 * MS, CPROF_BLOCKED_FUTEX, 5 * MS, 0); /* events came after it: it was for them to tell */
	add_wait(kernel, 2, 30 * MS, CPROF_BLOCKED_FUTEX, 40 * MS, 1 * MS);
	add_wait(kernel, 2, 100 * MS, CPROF_BLOCKED_SLEEP, 50 * MS, 0);
	add_wait(kernel, 4, 250 * MS, CPROF_BLOCKED_DISK, 100 * MS, 0);
	kernel_builder_end(kernel, end);
	kernel_builder_write(kernel, "waiting.bpf.lz4");
	kernel_builder_destroy(kernel);
}

static void make_deep(void)
{
	enum { LEVELS = 50000, CHUNK = 5000 };
	const struct cprof_sched record = { .attached_ns = 5000000000ull, .heartbeat_ns = 7000000000ull, .threads = 1, .kernel_tgid = TGID };
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, MAIN, 0x500), again = trace_builder_edge(builder, top, top, 0x1010);
	uint32_t leaf = trace_builder_context(builder, top, TINY, 0x1020);
	uint64_t now = 1000;

	trace_builder_enter(builder, 0, now, top);
	for (int i = 0; i < LEVELS; i++) {
		trace_builder_enter(builder, 0, now += 10, again);
		sched(builder, 0, CPROF_SCHED_FAULTS, (uint64_t)i + 1);
		trace_builder_enter(builder, 0, now += 10, leaf);
		trace_builder_exit(builder, 0, now += 10);
		if (i % CHUNK == 0)
			trace_builder_cut(builder, 0);
	}
	for (int i = 0; i <= LEVELS; i++) {
		trace_builder_exit(builder, 0, now += 10);
		if (i % CHUNK == 0)
			trace_builder_cut(builder, 0);
	}
	trace_builder_thread_record(builder, 0)->kernel_tgid = TGID;
	trace_builder_thread_record(builder, 0)->kernel_tid = TGID;
	trace_builder_table(builder, CPROF_CHUNK_SCHED, 0, 1, &record, sizeof record);
	trace_builder_end(builder);
	trace_builder_write(builder, "deep.lz4");
	trace_builder_destroy(builder);
}

void make_kernel_traces(void)
{
	const struct cprof_kernel_end end = { .start_ns = 4900000000ull, .end_ns = 7000000000ull, .recorder_cpu_ns = 12 * MS, .bpf_run_ns = 3 * MS, .bpf_runs = 900,
					      .records = 500 };
	struct trace_builder *trace = make_trace(0), *stopped = make_trace(MONOTONIC(501010000));
	struct kernel_builder *kernel = make_kernel();

	trace_builder_write(trace, "recorded.lz4");
	trace_builder_write(trace, "cut_kernel.lz4");
	trace_builder_write(stopped, "stopped.lz4");
	kernel_builder_cut(kernel);
	kernel_builder_write(kernel, "cut_kernel.bpf.lz4");
	kernel_builder_end(kernel, &end);
	kernel_builder_write(kernel, "recorded.bpf.lz4");
	kernel_builder_write(kernel, "alone.bpf.lz4");
	kernel_builder_destroy(kernel);
	kernel = kernel_builder_create(session_id);
	add_threads(kernel);
	kernel_builder_source(kernel, "cpu", true, 100, "");
	kernel_builder_source(kernel, "off-cpu", false, 0, "not asked for");
	add_samples(kernel, 5, (struct cprof_kernel_sample){ .who = who(TGID, TGID, C_LOAD, CPROF_QUALITY_SLOT), .ip = LOAD + 0x40 });
	kernel_builder_end(kernel, &end);
	kernel_builder_write(kernel, "only_cpu.bpf.lz4");
	trace_builder_write(trace, "only_cpu.lz4");
	kernel_builder_destroy(kernel);
	trace_builder_destroy(stopped);
	trace_builder_destroy(trace);
	make_waiting(&end);
	make_deep();
}
