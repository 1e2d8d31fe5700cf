/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include "rt_alloc.h"
#include "rt_blocks.h"
#include "rt_clock.h"
#include "rt_commit.h"
#include "rt_config.h"
#include "rt_contexts.h"
#include "rt_drain.h"
#include "rt_inherit.h"
#include "rt_live.h"
#include "rt_modules.h"
#include "rt_slots.h"
#include "rt_status.h"
#include "rt_strand.h"
#include "rt_sys.h"
#include "rt_thread.h"
#include "rt_writer.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { PAGE = 4096 };

static struct cprof_meta meta;
static _Atomic uint32_t session_state; /* of meta.session: 0 none, 1 in the making, 2 made */
static _Atomic uint32_t *_Atomic not_a_child; /* 1; in a forked child the kernel has made it 0 (MADV_WIPEONFORK) */
static _Atomic uint64_t fork_ticks;

/* --- META ------------------------------------------------------------------------------------------------------------------- */

static uint8_t hex_value(char c)
{
	return (uint8_t)(c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 255);
}

static void read_boot_id(void)
{
	char text[64];
	size_t nibbles = 0;

	if (rt_file_read("/proc/sys/kernel/random/boot_id", text, sizeof text) < 0)
		return;
	for (const char *c = text; *c && nibbles < 32; c++) {
		uint8_t value = hex_value(*c);
		if (value != 255) {
			meta.boot_id[nibbles / 2] |= (uint8_t)(value << (nibbles & 1 ? 0 : 4));
			nibbles++;
		}
	}
}

/* Field 22 of /proc/self/stat; the name in field 2 may hold anything, so count from the last ')'. */
static uint64_t read_start_ticks(void)
{
	static char text[1024]; /* one thread starts, perhaps on a small signal stack */
	const char *at = text;

	if (rt_file_read("/proc/self/stat", text, sizeof text) < 0)
		return 0;
	for (const char *c = text; *c; c++)
		if (*c == ')')
			at = c + 1;
	for (int field = 2; field < 22; field++) {
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return rt_text_number(at, NULL);
}

/* "key=value\0" behind what is there; values are cut off when META is full. */
static size_t meta_append(uint8_t *out, size_t length, const char *key, const char *value)
{
	char *text = (char *)out;
	size_t room = CPROF_LIVE_META_BYTES - 1;

	if (length + rt_text_length(key) + 8 > room)
		return length;
	length = rt_text_append(text, length, room, key);
	length = rt_text_append(text, length, room, "=");
	length = rt_text_append(text, length, room, value);
	return length + 1;
}

/* Arguments as a shell would need them. */
static void read_command_line(char *out, size_t capacity)
{
	static char raw[2048];
	long bytes = rt_file_read("/proc/self/cmdline", raw, sizeof raw);
	size_t length = 0;

	out[0] = 0;
	for (long at = 0; at < bytes; at += (long)rt_text_length(raw + at) + 1) {
		const char *argument = raw + at;
		bool plain = *argument;

		for (const char *c = argument; *c; c++)
			plain &= (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') || *c == '-' || *c == '_' || *c == '.' ||
				 *c == '/' || *c == '=' || *c == ',' || *c == ':' || *c == '+' || *c == '@' || *c == '%';
		if (at)
			length = rt_text_append(out, length, capacity, " ");
		if (plain) {
			length = rt_text_append(out, length, capacity, argument);
			continue;
		}
		length = rt_text_append(out, length, capacity, "'");
		for (const char *c = argument; *c; c++) {
			char one[2] = { *c, 0 };
			length = rt_text_append(out, length, capacity, *c == '\'' ? "'\\''" : one);
		}
		length = rt_text_append(out, length, capacity, "'");
	}
}

/* 32 hexadecimal digits from who launched the program. */
static bool session_given(uint8_t *session)
{
	const char *text = getauxval(AT_SECURE) ? NULL : getenv("CPROF_SESSION");
	uint8_t bytes[2 * sizeof meta.session];

	for (size_t i = 0; i < sizeof bytes; i++) {
		char c = text ? text[i] : 0;

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		bytes[i] = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (text[sizeof bytes])
		return false;
	for (size_t i = 0; i < sizeof meta.session; i++)
		session[i] = (uint8_t)(bytes[2 * i] << 4 | bytes[2 * i + 1]);
	return true;
}

/* cprof-record's, else one for all processes that a fork makes of this one, whoever of them records first: so at the first call or the first fork. Signals blocked. */
static void session_make(void)
{
	uint32_t none = 0;

	if (atomic_compare_exchange_strong(&session_state, &none, 1)) {
		bool given = rt_slots_open(meta.session) || session_given(meta.session);

		if (!given && rt_sys(SYS_getrandom, meta.session, sizeof meta.session, GRND_NONBLOCK) != sizeof meta.session) {
			uint64_t seed[2] = { rt_clock_ticks() * 0x9E3779B97F4A7C15ull, (uint64_t)rt_sys(SYS_getpid) << 32 };
			__builtin_memcpy(meta.session, seed, sizeof seed);
		}
		atomic_store(&session_state, 2);
	}
	while (atomic_load(&session_state) != 2)
		rt_yield();
}

static void meta_fill(bool child)
{
	meta.pid = (uint32_t)rt_sys(SYS_getpid);
	meta.parent_pid = (uint32_t)rt_sys(SYS_getppid);
	meta.parent_start_ticks = child ? meta.process_start_ticks : 0;
	meta.process_start_ticks = read_start_ticks();
	meta.clock_source = RT_CLOCK_SOURCE;
	meta.mode = CPROF_MODE_TRACE;
	meta.generation = 0;
	meta.flags = child ? CPROF_META_FORKED : 0;
	if (child)
		return; /* boot is the parent's, and so is the session */
	read_boot_id();
	session_make();
}

/* Text of META, in the live file's header. Large buffers: start only, never in a hook's depth. */
static uint32_t meta_write(uint8_t *out)
{
	static char text[4096]; /* one thread starts */
	size_t length = sizeof meta;
	long got;

	__builtin_memcpy(out, &meta, sizeof meta);
	got = rt_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", text, sizeof text - 1);
	text[got > 0 ? got : 0] = 0;
	length = meta_append(out, length, "exe", text);
	read_command_line(text, sizeof text);
	length = meta_append(out, length, "cmdline", text);
	got = rt_sys(SYS_getcwd, text, sizeof text);
	text[got > 0 ? got - 1 : 0] = 0;
	length = meta_append(out, length, "cwd", text);
	length = meta_append(out, length, "writer", "libcprof " CPROF_VERSION);
	return (uint32_t)length;
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */

static bool chunk_put(enum cprof_chunk_kind kind, const void *payload, size_t bytes, uint32_t items, uint64_t first)
{
	struct cprof_chunk_header header = { .kind = (uint16_t)kind, .thread = CPROF_NO_THREAD, .items = items, .first_tsc = first };
	struct rt_frame_buffer *frame = rt_drain_frame(CPROF_CHUNK_MAX_PAYLOAD);

	return frame && rt_writer_chunk(frame, &header, payload, bytes);
}

static void watch_for_children(void)
{
	long page;

	if (atomic_load(&not_a_child)) {
		atomic_store(not_a_child, 1);
		return;
	}
	page = rt_sys(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page < 0 && page > -PAGE)
		return;
	if (rt_sys(SYS_madvise, page, PAGE, MADV_WIPEONFORK)) {
		rt_sys(SYS_munmap, page, PAGE); /* Linux before 4.14: the child handler alone notices */
		return;
	}
	atomic_store((_Atomic uint32_t *)page, 1);
	atomic_store(&not_a_child, (_Atomic uint32_t *)page);
}

bool rt_process_knows_children(void)
{
	return atomic_load_explicit(&not_a_child, memory_order_relaxed);
}

bool rt_process_is_forked_child(void)
{
	_Atomic uint32_t *page = atomic_load_explicit(&not_a_child, memory_order_relaxed);

	return page && !atomic_load_explicit(page, memory_order_relaxed);
}

uint32_t rt_process_generation(void)
{
	return meta.generation;
}

uint64_t rt_process_fork_ticks(void)
{
	return atomic_load(&fork_ticks);
}

static void remove_files(void)
{
	rt_live_remove();
	rt_writer_remove();
}

static bool files_begin(const struct cprof_clock *clock)
{
	struct cprof_live_header *header = rt_live.header;

	header->meta_bytes = meta_write(header->meta);
	header->first_clock = *clock;
	header->last_clock = rt_clock_pair();
	struct cprof_clock pairs[2] = { header->first_clock, header->last_clock };
	if (!chunk_put(CPROF_CHUNK_META, header->meta, header->meta_bytes, 1, 0) || !chunk_put(CPROF_CHUNK_CLOCK, pairs, sizeof pairs, 2, 0))
		return false;
	__atomic_store_n(&header->magic, CPROF_LIVE_MAGIC, __ATOMIC_RELEASE);
	return true;
}

/* With everything of the process still or again empty. Fails with a line said, and leaves no file. */
static bool start(bool child)
{
	int error;

	if (!child) {
		if (!rt_config_read())
			return false;
		if (rt_config.off) {
			atomic_store(&rt_phase, RT_PHASE_OFF);
			return false;
		}
		if (!rt_clock_is_steady()) {
			rt_fail("use this machine's TSC as a clock", NULL, 0, "it is not constant; nothing is recorded");
			return false;
		}
	}
	meta_fill(child);
	struct cprof_clock before = rt_clock_pair();
	meta.start_realtime_ns = before.realtime_ns;
	if (rt_writer_open(child, &meta))
		return false;
	rt_slots_announce(&meta);
	error = rt_live_create(rt_writer_path(), rt_config.context_capacity);
	if (error || !rt_contexts_create()) {
		rt_fail("create the live file beside", rt_writer_path(), error ? -error : rt_live.error ? rt_live.error : 12, "nothing is recorded");
		remove_files();
		return false;
	}
	watch_for_children();
	if (!files_begin(&before)) {
		rt_fail("get memory", NULL, 12, "nothing is recorded"); /* unless the writer has said what it was */
		remove_files();
		return false;
	}
	return true;
}

bool rt_process_start(void)
{
	uint32_t phase = RT_PHASE_NONE;

	if (atomic_compare_exchange_strong(&rt_phase, &phase, RT_PHASE_STARTING)) {
		if (start(false)) {
			rt_alloc_start();
			atomic_store(&rt_phase, RT_PHASE_ON);
			return true;
		}
		atomic_store(&rt_phase, RT_PHASE_OFF);
		return false;
	}
	while ((phase = atomic_load(&rt_phase)) == RT_PHASE_STARTING)
		rt_yield();
	return phase == RT_PHASE_ON;
}

/* Another thread is at it: with signals blocked, and it takes no lock of the host. */
static void wait_while_starting(void)
{
	while (atomic_load(&rt_phase) == RT_PHASE_STARTING)
		rt_yield();
}

/* --- fork ------------------------------------------------------------------------------------------------------------------- */

/* Lets go of all that is the parent's, without touching its files. holders: threads of this process that are in the cold path. */
static void forget_parent(uint32_t holders)
{
	rt_writer_forget();
	rt_live_forget();
	rt_contexts_destroy();
	rt_modules_reset();
	rt_blocks_reset();
	rt_threads_reset();
	rt_drain_reset();
	rt_strands_reset();
	rt_status_reset_holders(holders);
}

bool rt_process_start_child(void)
{
	atomic_store(not_a_child, 1);
	if (rt_is_off())
		return false;
	struct rt_inherited own = rt_inherit_take();
	forget_parent(1);
	if (!start(true)) {
		atomic_store(&rt_phase, RT_PHASE_OFF);
		return false;
	}
	if (!rt_inherit_restart(&own))
		return false;
	rt_alloc_start();
	return true;
}

/* Makes every event of this thread ask, until parent or child goes on. */
void rt_process_before_fork(void)
{
	struct rt_tls *tls = &rt_tls;
	uint64_t mask = rt_signals_block();

	rt_alloc_before_fork();
	wait_while_starting(); /* most often enough that the child sees it done; the child's handler looks again */
	if (!rt_is_off()) {
		uint32_t busy = tls->busy;

		tls->busy = 1; /* the program may have a getenv of its own, and that may be recorded */
		session_make();
		tls->busy = busy;
		if (tls->thread) {
			tls->thread->fork_pending = true;
			tls->end = 0;
		}
		rt_strands_wipe(tls, false); /* also for who recorded nothing yet: coroutines go on in the child */
		atomic_store(&fork_ticks, rt_clock_ticks());
	}
	rt_signals_restore(mask);
}

void rt_process_after_fork_in_parent(void)
{
	if (rt_tls.thread)
		rt_tls.thread->fork_pending = false;
	if (!rt_is_off())
		rt_strands_wipe(&rt_tls, true);
}

void rt_process_after_fork_in_child(void)
{
	if (atomic_load(&not_a_child) && !rt_process_is_forked_child())
		return; /* it records already: another handler was before us */
	rt_alloc_after_fork_in_child();
	/* A child that lives on without a call would keep the parent's trace locked. */
	rt_writer_drop_file();
	rt_live_drop_file();
	rt_strands_reset();
	/* Nothing is recorded until the child makes a call: one that execs leaves no file. The next event finds the wiped page. */
	if (rt_tls.thread) {
		uint64_t state = rt_tls.state;

		rt_tls.end = 0;
		/* Nor may a hook that we have interrupted commit; if this fails, a handler has made calls and it cannot. */
		rt_commit(&rt_tls.state, state, state + 1);
	}
	/* Another thread of the parent began to start just when this one forked. It is not here: the child would wait for it for ever. */
	if (atomic_load(&rt_phase) == RT_PHASE_STARTING) {
		forget_parent(0);
		if (atomic_load(&not_a_child))
			atomic_store(not_a_child, 1);
		atomic_store(&rt_phase, RT_PHASE_NONE);
	}
	/* Nor is one that was just about to: the end must not wait for it. */
	if (atomic_load(&rt_phase) == RT_PHASE_NONE)
		rt_status_reset_holders(0);
}

pid_t rt_process_fork(pid_t (*next)(void))
{
	rt_process_before_fork();
	pid_t pid = next();

	if (pid)
		rt_process_after_fork_in_parent();
	else
		rt_process_after_fork_in_child();
	return pid;
}

__attribute__((constructor(102))) static void process_constructor(void)
{
	pthread_atfork(rt_process_before_fork, rt_process_after_fork_in_parent, rt_process_after_fork_in_child);
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */

static bool table_put(const struct rt_table *table, enum cprof_chunk_kind kind, uint32_t from, uint32_t count)
{
	uint32_t most = CPROF_CHUNK_MAX_PAYLOAD / table->item_bytes;

	for (uint32_t first = from; first < count; first += most) {
		uint32_t items = count - first < most ? count - first : most;

		if (!chunk_put(kind, rt_table_at(table, first), (size_t)items * table->item_bytes, items, first))
			return false;
	}
	return true;
}

static bool sched_put(void)
{
	struct cprof_sched sched;

	return !rt_slots_report(&sched) || chunk_put(CPROF_CHUNK_SCHED, &sched, sizeof sched, 1, 0);
}

static bool losses_put(void)
{
	struct cprof_loss loss = { .reason = CPROF_LOSS_BUFFER_FULL };

	for (uint32_t i = 0; i < rt_live.header->threads; i++) {
		const struct cprof_thread *record = rt_table_at(&rt_live.threads, i);

		loss.thread = i;
		loss.events = record->lost_events;
		if (loss.events && !chunk_put(CPROF_CHUNK_LOSS, &loss, sizeof loss, 1, 0))
			return false;
	}
	loss = (struct cprof_loss){ .thread = CPROF_NO_THREAD, .reason = CPROF_LOSS_CONTEXT_LIMIT, .events = rt_live.header->table_losses };
	return !loss.events || chunk_put(CPROF_CHUNK_LOSS, &loss, sizeof loss, 1, 0);
}

/* Everything that is still in memory goes into the trace; then the live file is not needed any more. */
static bool finish(void)
{
	struct rt_thread *thread;

	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++) /* those, too, that have gone since recording was switched off */
		rt_thread_hand_over_at_end(thread);
	rt_drain_any(true);
	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++)
		if (thread->replay.next_sequence != atomic_load(&thread->sequence))
			return false; /* the live file has it */

	struct cprof_live_header *header = rt_live.header;
	uint32_t contexts = rt_contexts_settle();
	header->last_clock = rt_clock_pair();
	struct cprof_end end = { .end_tsc = header->last_clock.tsc, .events = rt_threads_events(),
				 .chunks = rt_writer_event_chunks(), .contexts = contexts, .threads = header->threads,
				 .reason = CPROF_END_EXIT };
	return table_put(&rt_live.modules, CPROF_CHUNK_MODULES, 0, header->modules) &&
	       table_put(&rt_live.contexts, CPROF_CHUNK_CONTEXTS, 1, contexts) &&
	       table_put(&rt_live.threads, CPROF_CHUNK_THREADS, 0, header->threads) && losses_put() && sched_put() && rt_alloc_put() &&
	       chunk_put(CPROF_CHUNK_CLOCK, &header->last_clock, sizeof header->last_clock, 1, 0) &&
	       chunk_put(CPROF_CHUNK_END, &end, sizeof end, 1, 0) && rt_writer_index();
}

/* Last of all destructors, where the linker's order allows. Calls made after it are not recorded. */
__attribute__((destructor(101))) static void process_destructor(void)
{
	uint32_t on = RT_PHASE_ON, none = RT_PHASE_NONE;

	/* A forked child that has made no call has nothing to end, and must not end its parent's. */
	if (rt_process_is_forked_child())
		return;
	uint64_t mask = rt_signals_block();
	atomic_compare_exchange_strong(&rt_phase, &none, RT_PHASE_OFF); /* too late for a first call */
	wait_while_starting();
	bool was_on = atomic_compare_exchange_strong(&rt_phase, &on, RT_PHASE_OFF);
	rt_drain_stop(); /* also after a failure: who met it may be about to say so */
	if (rt_status_wait_for_holders() && was_on) {
		if (!rt_live.header->threads)
			remove_files(); /* the process ended during its first call: nothing was recorded */
		else if (finish())
			rt_live_remove();
		rt_writer_close();
	}
	rt_signals_restore(mask);
}
