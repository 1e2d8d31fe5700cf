/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See record_run.h. The order matters: programs are loaded, the target is made (it inherits the slots) and waits; the file is there, everything is
 * attached; then the target goes. At the end the tasks say their totals, everything is detached, and only then the last of ring and sums is
 * taken: nothing can come after.
 */
#include "record_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu_timers.h"
#include "kernel_symbols.h"
#include "live.h"
#include "mapping_events.h"
#include "memory_probes.h"
#include "process_modules.h"
#include "record_attach.h"
#include "record_clock.h"
#include "record_launch.h"
#include "record_programs.h"
#include "record_report.h"
#include "record_without.h"
#include "ring_drain.h"
#include "slots_header.h"
#include "sums_drain.h"
#include "programs_maps.h"

enum { TICK_NS = 10000000, BEAT_NS = 100000000 };

struct recording {
	const struct record_args *args;
	char **command;              /* NULL: none is launched */
	struct source_state sources[RECORD_SOURCES_MAX];
	struct record_programs programs;
	struct record_launch launch;
	struct kernel_writer writer;
	struct ring_drain ring;
	struct sums_drain sums;
	struct slots_header slots;
	struct cpu_timers timers;
	struct memory_probes memory;
	bool without_bpf;            /* `without`, writer, sources and symbols are all that is used */
	struct record_without without;
	struct kernel_symbols symbols;
	struct record_tally tally;
	struct live *live;           /* NULL: --live was not asked for */
	const struct record_observer *observer; /* its, or NULL */
	uint8_t session[16];
	struct process_record target; /* the first that is followed */
	struct process_modules modules;
	struct mapping_events mappings;
	uint64_t start_ns, next_beat_ns, next_window_ns;
	int signals;                 /* signalfd */
	sigset_t old_mask;
	bool child_ended, stop;
	int child_status;
};

/* Nothing more will come of it. */
static bool is_stranger(uint32_t kind, const void *record, size_t bytes)
{
	const struct cprof_kernel_process *process = record;

	return kind == RING_PROCESS && bytes >= sizeof *process && process->flags & CPROF_KERNEL_PROCESS_STRANGER;
}

static void watch_record(void *context, uint32_t kind, const void *record, size_t bytes)
{
	struct recording *recording = context;

	if (is_stranger(kind, record, bytes))
		return;
	if (recording->observer)
		recording->observer->record(recording->observer->context, kind, record, bytes);
	if (kind == RING_PROCESS && bytes >= sizeof(struct cprof_kernel_process)) {
		process_modules_note(&recording->modules, record);
	} else if (kind == RING_SAMPLE && bytes >= sizeof(struct cprof_kernel_sample)) {
		const struct cprof_kernel_sample *sample = record;

		if (sample->flags & CPROF_SAMPLE_KERNEL)
			kernel_symbols_note(&recording->symbols, sample->ip);
	} else if (kind == RING_STACK && bytes >= sizeof(struct cprof_kernel_stack)) {
		const struct cprof_kernel_stack *stack = record;
		const uint64_t *addresses = (const uint64_t *)(const void *)(stack + 1);

		for (uint32_t i = 0; stack->flags && i < stack->count; i++)
			kernel_symbols_note(&recording->symbols, addresses[i]);
	}
}

static void say_sources(const struct recording *recording)
{
	for (size_t i = 0; i < nr_record_sources && !recording->args->quiet; i++) {
		const struct source_state *state = &recording->sources[i];
		const char *what = state->on && state->only != CPROF_SOURCE_CALLS ? record_sources[i].what : ""; /* by calls: `why` says it all */

		fprintf(stderr, "cprof-record: %-8s %s%s%s%s\n", record_sources[i].name, state->on ? "on: " : "off: ", what, *what && state->why[0] ? ", " : "",
			state->why);
	}
}

static uint64_t sample_period_ns(const struct record_args *args)
{
	return args->interval_ns ? args->interval_ns : 1000000000u / args->frequency_hz;
}

static void open_timers(struct recording *recording)
{
	struct source_state *cpu = record_source_state(recording->sources, "cpu");
	struct cprof_error *error;

	if (!cpu->on)
		return;
	cpu->value = (uint32_t)(1000000000u / sample_period_ns(recording->args));
	error = cpu_timers_open(programs_sampler(&recording->programs), sample_period_ns(recording->args), &recording->timers);
	if (!error)
		return;
	cpu->on = false;
	snprintf(cpu->why, sizeof cpu->why, "%s", error->message);
	cprof_error_free(error);
}

static struct cprof_error *follow_target(struct recording *recording)
{
	struct process_record *target = &recording->target;

	target->said.flags = CPROF_KERNEL_PROCESS_TARGET;
	if (recording->command) {
		target->said.tgid = (uint32_t)recording->launch.pid;
		target->said.parent_tgid = (uint32_t)getpid();
	} else if (recording->args->pid) {
		struct cprof_error *error = record_attach_find((uint32_t)recording->args->pid, target, recording->session);

		if (error)
			return error;
		target->active = 1;
	} else {
		return NULL;
	}
	target->said.start_ns = recording->start_ns;
	return programs_follow(&recording->programs, target);
}

static struct cprof_error *open_drains(struct recording *recording)
{
	struct record_programs *programs = &recording->programs;
	struct cprof_error *error = ring_drain_open(record_programs_map(programs, "ring"), &recording->writer, watch_record, recording, &recording->ring);

	recording->tally.ring = &recording->ring;
	if (!error)
		error = sums_drain_open(programs, (uint32_t)recording->args->sums, &recording->sums);
	recording->sums.observer = recording->observer;
	return error;
}

/* Without them there are names for those who live long enough to be looked at. */
static void open_mappings(struct recording *recording)
{
	struct cprof_error *error = mapping_events_open(&recording->mappings);

	recording->modules.images.everyone = recording->args->system_wide;
	recording->modules.untold = error;
	if (error && !recording->args->quiet)
		fprintf(stderr, "cprof-record: names of programs that end at once may be missing: there are no perf events\n");
	cprof_error_free(error);
	if (recording->target.said.tgid)
		process_modules_expect(&recording->modules, recording->target.said.tgid, recording->target.active);
}

static struct cprof_error *begin_file(struct recording *recording)
{
	char *path = kernel_writer_path_of(recording->args->output);
	struct cprof_error *error = path ? kernel_writer_open(path, &recording->writer) : &cprof_enomem;

	free(path);
	if (error)
		return error;
	recording->writer.window_start_ns = recording->start_ns;
	record_report_meta(&recording->writer, recording->session, recording->command);
	record_report_clock(&recording->writer);
	return NULL;
}

/* Everything but the target's start. */
static struct cprof_error *prepare(struct recording *recording)
{
	const struct record_args *args = recording->args;
	struct cprof_error *error;

	recording->start_ns = record_clock_ns(CLOCK_MONOTONIC);
	error = follow_target(recording);
	if (!error)
		error = begin_file(recording);
	if (!error) {
		open_mappings(recording);
		if (recording->target.said.tgid && recording->target.active) { /* no exec will say it */
			kernel_writer_add(&recording->writer, CPROF_CHUNK_KERNEL_PROCESSES, &recording->target.said, sizeof recording->target.said);
			process_modules_note(&recording->modules, &recording->target.said);
			if (recording->observer)
				recording->observer->record(recording->observer->context, RING_PROCESS, &recording->target.said,
							    sizeof recording->target.said);
		}
		error = open_drains(recording);
	}
	if (!error)
		error = slots_header_open(record_programs_map(&recording->programs, "slots"), (uint32_t)args->slots, recording->session, recording->start_ns,
					  &recording->slots);
	if (!error)
		error = record_programs_attach(&recording->programs, recording->sources);
	if (!error)
		memory_probes_attach(&recording->memory, &recording->programs, recording->command ? (uint32_t)recording->launch.pid : (uint32_t)args->pid,
				     recording->sources);
	if (!error)
		error = record_programs_meet(&recording->programs, !recording->command);
	if (error)
		return error;
	open_timers(recording);
	recording->start_ns = record_clock_ns(CLOCK_MONOTONIC); /* from here on all is seen */
	recording->slots.at->started_ns = recording->start_ns;
	record_report_sources(&recording->writer, recording->sources);
	kernel_writer_flush(&recording->writer, recording->start_ns);
	say_sources(recording);
	recording->next_beat_ns = recording->start_ns + BEAT_NS;
	recording->next_window_ns = recording->start_ns + args->window_ns;
	return NULL;
}

/* The same without BPF, of which `why` says why it is not to be had. */
static struct cprof_error *prepare_without(struct recording *recording, const struct cprof_error *why)
{
	uint32_t pid = recording->command ? (uint32_t)recording->launch.pid : (uint32_t)recording->args->pid;
	struct record_without *without = &recording->without;
	struct process_record target = { .tls_offset = 0 };
	struct cprof_error *error = recording->command ? NULL : record_attach_find(pid, &target, recording->session);

	if (!error)
		error = record_without_open(without, pid, recording->sources);
	recording->start_ns = record_clock_ns(CLOCK_MONOTONIC);
	if (!error)
		error = begin_file(recording);
	if (!error)
		error = record_without_start(without, &recording->writer, &recording->symbols, pid, recording->start_ns);
	if (error) {
		record_without_close(without);
		return error;
	}
	recording->without_bpf = true;
	record_report_sources(&recording->writer, recording->sources);
	kernel_writer_flush(&recording->writer, recording->start_ns);
	if (recording->args->quiet)
		return NULL;
	fprintf(stderr, "cprof-record: without BPF: %s\n", why->message);
	if (without->no_perf)
		fprintf(stderr, "cprof-record: without perf events: %s\n", without->no_perf->message);
	say_sources(recording);
	return NULL;
}

static void wait_for_child(struct recording *recording)
{
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (!recording->launch.pid || waitid(P_PID, (id_t)recording->launch.pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return;
	if (recording->without_bpf)
		record_without_target_ends(&recording->without);
	if (waitpid(recording->launch.pid, &status, WNOHANG) != recording->launch.pid)
		return;
	recording->child_ended = true;
	recording->child_status = status;
	recording->launch.pid = 0;
}

static void take_signals(struct recording *recording)
{
	struct signalfd_siginfo info;

	while (read(recording->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			wait_for_child(recording);
		} else if (!recording->launch.pid) {
			recording->stop = true;
		} else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP) {
			kill(recording->launch.pid, (int)info.ssi_signo); /* from the terminal it has SIGINT and SIGQUIT itself */
		} else if (info.ssi_code <= 0) {
			kill(recording->launch.pid, (int)info.ssi_signo); /* from a process: for us alone */
		}
	}
}

static void say_progress(const struct recording *recording, uint64_t now_ns)
{
	if (recording->args->quiet || recording->live || !isatty(STDERR_FILENO) || recording->command) /* the terminal is the program's */
		return;
	fprintf(stderr, "\rcprof-record: %" PRIu64 " s, %" PRIu64 " samples, %" PRIu64 " events in sums, %.1f MB ", (now_ns - recording->start_ns) / 1000000000u,
		recording->ring.received[RING_SAMPLE], recording->sums.received, (double)recording->writer.offset / 1e6);
}

static void end_window(struct recording *recording, uint64_t now_ns)
{
	struct record_window window = { .now_ns = now_ns, .own_cpu_ns = record_clock_ns(CLOCK_PROCESS_CPUTIME_ID), .ended = recording->child_ended };
	struct record_losses losses;

	if (!recording->observer)
		return;
	losses = record_report_losses(NULL, &recording->programs, &recording->tally);
	window.lost = losses.sum;
	memcpy(window.lost_most, losses.most_name, sizeof window.lost_most);
	recording->observer->window(recording->observer->context, &window);
}

static void tick(struct recording *recording, uint64_t now_ns)
{
	ring_drain_consume(&recording->ring);
	process_modules_write(&recording->modules, &recording->writer, now_ns, mapping_events_drain(&recording->mappings, &recording->modules, now_ns));
	if (now_ns >= recording->next_beat_ns) {
		slots_header_beat(&recording->slots, now_ns);
		recording->next_beat_ns = now_ns + BEAT_NS;
	}
	if (sums_drain_is_filling(&recording->sums))
		sums_drain_take(&recording->sums, &recording->writer);
	if (now_ns >= recording->next_window_ns) {
		sums_drain_take(&recording->sums, &recording->writer);
		end_window(recording, now_ns);
		kernel_writer_flush(&recording->writer, now_ns);
		recording->next_window_ns = now_ns + recording->args->window_ns;
		say_progress(recording, now_ns);
	}
}

static struct cprof_error *loop(struct recording *recording)
{
	struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct pollfd fds[] = { { recording->signals, POLLIN, 0 }, { timer, POLLIN, 0 } };
	uint64_t end_ns = recording->args->duration_ns ? recording->start_ns + recording->args->duration_ns : UINT64_MAX;

	if (timer < 0 || timerfd_settime(timer, 0, &every, NULL))
		return cprof_error_os(errno, NULL, "make a timer");
	while (!recording->stop && !recording->child_ended) {
		uint64_t expirations;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
			break;
		take_signals(recording);
		uint64_t now_ns = record_clock_ns(CLOCK_MONOTONIC);

		if (recording->without_bpf)
			record_without_tick(&recording->without, now_ns);
		else
			tick(recording, now_ns);
		if (recording->args->pid && kill((pid_t)recording->args->pid, 0) && errno == ESRCH)
			recording->stop = true;
		if (recording->live && live_is_over(recording->live) && !recording->command) /* nothing else would end it */
			recording->stop = true;
		if (now_ns >= end_ns) /* a launched target is not killed: it runs on, unrecorded */
			recording->stop = true;
	}
	close(timer);
	return NULL;
}

/* Closes the file, whatever filled it, and says how much is in it. */
static struct cprof_error *end_file(struct recording *recording, uint64_t end_ns, uint64_t lost)
{
	struct cprof_error *error;

	record_report_clock(&recording->writer);
	kernel_writer_flush(&recording->writer, end_ns);
	record_report_end(&recording->writer, recording->start_ns, end_ns);
	error = kernel_writer_finish(&recording->writer, end_ns);
	if (!recording->args->quiet && !error)
		fprintf(stderr, "%scprof-record: %" PRIu64 " records in %s, %" PRIu64 " lost\n", recording->command ? "" : "\n", recording->writer.records,
			recording->writer.path, lost);
	return error;
}

/* The first of them; the other is freed. */
static struct cprof_error *first_of(struct cprof_error *first, struct cprof_error *second)
{
	if (!first)
		return second;
	cprof_error_free(second);
	return first;
}

static struct cprof_error *finish(struct recording *recording)
{
	struct cprof_error *walked, *named;
	uint64_t end_ns;

	cpu_timers_close(&recording->timers);
	walked = record_programs_walk(&recording->programs, true);
	end_ns = record_clock_ns(CLOCK_MONOTONIC);
	slots_header_stop(&recording->slots, end_ns);
	memory_probes_detach(&recording->memory);
	record_programs_detach(&recording->programs);
	sums_drain_wait_for_programs();
	ring_drain_consume(&recording->ring);
	mapping_events_finish(&recording->mappings, &recording->modules);
	process_modules_write(&recording->modules, &recording->writer, end_ns, UINT64_MAX);
	recording->tally.mappings_lost = recording->modules.images.lost;
	recording->tally.modules_unread = recording->modules.unread;
	sums_drain_take(&recording->sums, &recording->writer);
	sums_drain_take(&recording->sums, &recording->writer); /* the other copy */
	end_window(recording, end_ns);
	if (recording->live)
		live_stop(recording->live);
	named = kernel_symbols_write(&recording->symbols, &recording->writer, &recording->tally.kernel_addresses_unnamed);
	recording->tally.sums_received = recording->sums.received;
	recording->tally.slots_exhausted = recording->slots.at ? recording->slots.at->exhausted : 0;
	uint64_t lost = record_report_losses(&recording->writer, &recording->programs, &recording->tally).sum;

	return first_of(first_of(end_file(recording, end_ns, lost), walked), named);
}

static struct cprof_error *finish_without(struct recording *recording)
{
	struct cprof_error *failed;
	uint64_t end_ns, lost = record_without_finish(&recording->without, &end_ns, &failed);

	return first_of(end_file(recording, end_ns, lost), failed);
}

/* Waits for a target that outlives the recording, or was never recorded. */
static void wait_for_target(struct recording *recording)
{
	struct pollfd fd = { recording->signals, POLLIN, 0 };

	while (recording->launch.pid) {
		poll(&fd, 1, recording->live ? 100 : -1);
		take_signals(recording);
		if (recording->live)
			live_is_over(recording->live); /* shows what it prints */
	}
}

static struct cprof_error *open_signals(struct recording *recording)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGQUIT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &recording->old_mask);
	recording->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return recording->signals < 0 ? cprof_error_os(errno, NULL, "take signals") : NULL;
}

static struct record_settings settings_of(const struct record_args *args, const struct source_state *sources)
{
	return (struct record_settings){
		.slots = (uint32_t)args->slots,
		.follow_all = args->system_wide,
		.off_cpu = record_source_state((struct source_state *)(uintptr_t)sources, "off-cpu")->wanted,
		.prctl_number = SYS_prctl,
		.io = record_source_state((struct source_state *)(uintptr_t)sources, "io")->wanted,
		.locks = record_source_state((struct source_state *)(uintptr_t)sources, "locks")->wanted,
		.off_cpu_threshold_ns = args->threshold_ns,
		.io_threshold_ns = args->io_threshold_ns,
		.lock_threshold_ns = args->lock_threshold_ns,
		.max_samples = args->max_samples,
	};
}

static void recording_deinit(struct recording *recording)
{
	live_destroy(recording->live);
	record_without_close(&recording->without);
	cpu_timers_close(&recording->timers);
	memory_probes_detach(&recording->memory);
	if (recording->ring.ring)
		ring_drain_close(&recording->ring);
	sums_drain_close(&recording->sums);
	slots_header_close(&recording->slots);
	record_programs_deinit(&recording->programs);
	kernel_writer_deinit(&recording->writer);
	kernel_symbols_deinit(&recording->symbols);
	mapping_events_close(&recording->mappings);
	process_modules_deinit(&recording->modules);
	if (recording->signals >= 0)
		close(recording->signals);
}

/*
 * BPF is not to be had. Perf events are tried, and calls of libc's functions; without both the program runs all the same: the exact half is in the program. An error is one that is
 * to be put right (the name of the output, say), not to be ignored.
 */
static struct cprof_error *go_without(struct recording *recording, const struct cprof_error *why)
{
	struct cprof_error *error;

	slots_header_stop(&recording->slots, record_clock_ns(CLOCK_MONOTONIC));
	mapping_events_close(&recording->mappings);
	record_programs_deinit(&recording->programs);
	kernel_writer_deinit(&recording->writer);
	error = prepare_without(recording, why);
	if (error && (error->code != CPROF_ERROR_UNSUPPORTED || !recording->command)) {
		if (!recording->args->quiet)
			cprof_error_print(why, "cprof-record");
		return error;
	}
	if (error) {
		cprof_error_print(why, "cprof-record");
		cprof_error_print(error, "cprof-record");
		if (recording->without.calls.why[0])
			fprintf(stderr, "cprof-record: --io, --locks: %s\n", recording->without.calls.why);
		fprintf(stderr, "cprof-record: the program runs without the kernel half; its own trace, if it was built with cprof-cc, is complete\n");
		cprof_error_free(error);
	} else if (recording->args->live && !recording->live) {
		fprintf(stderr, "cprof-record: --live needs BPF: nothing is shown before the end\n");
	}
	return NULL;
}

struct cprof_error *record_run(const struct record_args *args, const struct cprof_operands *command, int *status)
{
	struct recording recording = { .args = args, .command = command->count ? command->items : NULL, .signals = -1, .writer.fd = -1, .without.calls.memory = { .fd = -1, .scan = -1 } };
	struct cprof_error *error = record_sources_choose(args, recording.sources), *unavailable = NULL;

	for (size_t i = 0; i < nr_record_sources; i++)
		recording.sources[i].value = 0;
	record_launch_ignore_signals();
	if (!error)
		error = open_signals(&recording);
	if (error)
		goto out;
	record_source_state(recording.sources, "off-cpu")->value = (uint32_t)(args->threshold_ns / 1000);
	record_source_state(recording.sources, "io")->value = (uint32_t)(args->io_threshold_ns / 1000);
	record_source_state(recording.sources, "locks")->value = (uint32_t)(args->lock_threshold_ns / 1000);
	if (getrandom(recording.session, sizeof recording.session, 0) != sizeof recording.session)
		memcpy(recording.session, &recording.start_ns, sizeof recording.start_ns);
	if (recording.command)
		record_launch_name_session(recording.session);
	memory_probes_choose(args, recording.command, recording.sources, &recording.memory);
	record_without_choose(args, recording.command, recording.sources, &recording.without);
	struct record_settings settings = settings_of(args, recording.sources);

	unavailable = record_programs_load(args, &settings, recording.sources, &recording.programs);
	if (args->live && !unavailable) {
		error = live_create(args, recording.command, recording.sources, &recording.live);
		if (error)
			goto out;
		recording.observer = recording.modules.observer = live_observer(recording.live);
	}
	if (recording.command)
		error = record_launch_start(recording.command,
					    &(struct record_launch_given){
						    .trace_path = args->output,
						    .slots = unavailable ? -1 : record_programs_map(&recording.programs, "slots"),
						    .calls = recording.without.calls.memory.fd,
						    .calls_library = recording.without.calls.library,
						    .mask = &recording.old_mask,
						    .redirections = recording.live ? live_redirections(recording.live) : NULL,
					    },
					    &recording.launch);
	if (!error && !unavailable) {
		unavailable = prepare(&recording);
		if (unavailable && unavailable->code != CPROF_ERROR_UNSUPPORTED) { /* a wrong name is to be put right, not to be ignored */
			error = unavailable;
			unavailable = NULL;
		}
	}
	if (error || (unavailable && args->system_wide)) {
		record_launch_abandon(&recording.launch);
		if (!error) {
			error = unavailable;
			unavailable = NULL;
		}
		goto out;
	}
	if (unavailable) {
		error = go_without(&recording, unavailable);
		if (error) {
			record_launch_abandon(&recording.launch);
			goto out;
		}
	}
	bool recorded = !unavailable || recording.without_bpf;

	if (recording.command)
		error = record_launch_go(&recording.launch, !unavailable			  ? RECORD_LAUNCH_WITH_SLOTS :
						    recording.without.by_calls && recorded ? RECORD_LAUNCH_WITH_CALLS :
											     RECORD_LAUNCH_PLAIN);
	if (error) {
		*status = error->os_errno == ENOENT ? 127 : 126;
	} else if (recorded) {
		if (recording.live)
			error = live_start(recording.live, recording.start_ns);
		if (!error)
			error = loop(&recording);
	}
	if (recorded)
		error = first_of(error, recording.without_bpf ? finish_without(&recording) : finish(&recording));
	if (recording.command && (recording.launch.pid || recording.child_ended)) { /* whatever became of the recording */
		wait_for_target(&recording);
		*status = WIFSIGNALED(recording.child_status) ? -WTERMSIG(recording.child_status) : WEXITSTATUS(recording.child_status);
	}
out:
	cprof_error_free(unavailable);
	recording_deinit(&recording);
	return error;
}
