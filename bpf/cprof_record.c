/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cprof-record: runs a program, or watches one that runs, and writes what the kernel knows about it, by context, to trace.bpf.lz4. Here are its options,
 * and the only place that prints errors and chooses the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "record_run.h"

static const struct record_args defaults = {
	.output = "trace.lz4", .frequency_hz = 99, .window_ns = 1000000000, .threshold_ns = 1000000,
	.io_threshold_ns = 10000000, .lock_threshold_ns = 1000000, .slots = 4096, .ring_kb = 16384, .sums = 16384,
};

static const struct cprof_option options[] = {
	OPT_TEXT("output", 'o', record_args, output, "FILE", "the program's trace (CPROF_OUTPUT, unless that is set); the kernel half goes beside it: F.bpf.lz4"),
	OPT_COUNT("pid", 'p', record_args, pid, "watch the process N, which runs already"),
	OPT_FLAG("all-processes", 'a', record_args, system_wide, "watch every process of the system"),
	OPT_DURATION("duration", 'd', record_args, duration_ns, "stop recording after this time; a launched program runs on"),
	OPT_FLAG("cpu", 0, record_args, cpu, "CPU samples"),
	OPT_FLAG("off-cpu", 0, record_args, off_cpu, "time off the CPU: reason, kernel stack, who ended it"),
	OPT_FLAG("memory", 0, record_args, memory, "allocations"),
	OPT_FLAG("io", 0, record_args, io, "file I/O and block devices (these: only with BPF)"),
	OPT_FLAG("locks", 0, record_args, locks, "waits for locks"),
	OPT_FLAG("faults", 0, record_args, faults, "page faults"),
	OPT_FLAG("all", 0, record_args, all, "all of these"),
	OPT_TEXT("events", 'e', record_args, events, "LIST", "the same by name: cpu,off-cpu,..."),
	OPT_COUNT("frequency", 'F', record_args, frequency_hz, "CPU samples per second and CPU (99)"),
	OPT_DURATION("interval", 'i', record_args, interval_ns, "time between two CPU samples, instead of --frequency"),
	OPT_COUNT("max-samples", 0, record_args, max_samples, "keep the first N CPU samples, count the rest"),
	OPT_DURATION("window", 0, record_args, window_ns, "time over which sums are made; what is older survives a kill (1s)"),
	OPT_DURATION("threshold", 0, record_args, threshold_ns, "single times off the CPU are recorded from this length on (1ms); sums have all"),
	OPT_DURATION("io-threshold", 0, record_args, io_threshold_ns, "the same for system calls of --io (10ms)"),
	OPT_DURATION("lock-threshold", 0, record_args, lock_threshold_ns, "the same for waits of --locks (1ms)"),
	OPT_COUNT("slots", 0, record_args, slots, "threads that can be followed exactly at once (4096)"),
	OPT_COUNT("ring-kb", 0, record_args, ring_kb, "size of the ring buffer in KiB, a power of 2 (16384)"),
	OPT_COUNT("sums", 0, record_args, sums, "keys of sums for which there is room; they are taken when half of it is gone (16384); without BPF they are kept, and there is room for four times as many, but never for more than a million"),
	OPT_FLAG("live", 'l', record_args, live,
		 "show what is recorded while it is, anew with each --window: a dashboard on a terminal (h: its keys), else text; "
		 "a program that is launched there reads nothing from the terminal, and what it prints is shown afterwards"),
	OPT_FLAG("quiet", 'q', record_args, quiet, "say nothing but errors"),
	OPT_END
};

static const struct cprof_command record_command = {
	.name = "",
	.operands = "[--] COMMAND [ARGUMENT...]",
	.summary = "record what the kernel knows about a program",
	.description = "Runs COMMAND and records, by the exact context that cprof-cc's programs publish, where time goes that is not spent on the CPU, "
		       "what is sampled below the last instrumented function, and more. Programs without cprof get the same by stacks. "
		       "Without an option that names a source: CPU samples, time off the CPU, page faults. These three need no right where "
		       "kernel.perf_event_paranoid is 2 or less: without BPF they come from perf events, samples and faults of user code alone. --io and --locks of a COMMAND that is not static need none at all: without BPF "
		       "they are calls of libc's functions, counted by a library that it preloads (not what stdio does inside of libc). All else needs CAP_BPF and CAP_PERFMON.",
	.examples = "./app args\n-o run.lz4 --all -- ./app args\n-p 1234 --duration=10s\n-a --cpu -d 5s\n--live --all -- ./app\n--live -a -d 10s | less",
	.options = options,
	.defaults = &defaults,
	.args_bytes = sizeof defaults,
	.program = "cprof-record",
	.first_operand_ends = true,
};
static const struct cprof_command *const commands[] = { &record_command, NULL };
static const struct cprof_program program = {
	.name = "cprof-record",
	.version = CPROF_VERSION,
	.summary = "record what the kernel knows about a program",
	.description = "That of COMMAND; when a signal killed it, cprof-record dies of the same. 0: a recording without a command has ended. 2: wrong usage. "
		       "125: cprof-record itself failed. 126: COMMAND cannot be executed. 127: it was not found.",
	.commands = commands,
};

/* Questions about the program itself. */
static bool answer(int argc, char **argv)
{
	const char *word = argc == 2 ? argv[1] : "";

	if (strcmp(word, "--version") == 0)
		printf("cprof-record %s\n", program.version);
	else if (strcmp(word, "--man") == 0)
		options_print_man(&program, stdout);
	else if (strcmp(word, "--completion=bash") == 0)
		options_print_bash_completion(&program, stdout);
	else if (strcmp(word, "--completion=zsh") == 0)
		options_print_zsh_completion(&program, stdout);
	else
		return false;
	return true;
}

static struct cprof_error *usage(const char *text)
{
	return cprof_error_create(CPROF_ERROR_USAGE, "%s (see: cprof-record --help)", text);
}

static bool is_power_of_2(uint64_t value)
{
	return value && !(value & (value - 1));
}

static struct cprof_error *check(const struct record_args *args, const struct cprof_operands *command)
{
	int targets = (command->count > 0) + (args->pid > 0) + args->system_wide;

	if (!targets)
		return usage("what is to be recorded? give a command, -p PID or -a");
	if (targets > 1)
		return usage("a command, -p PID and -a exclude each other");
	if (args->pid > INT32_MAX)
		return usage("--pid: there is no such process");
	if (!args->frequency_hz || args->frequency_hz > 100000)
		return usage("--frequency: between 1 and 100000");
	if (args->interval_ns && args->interval_ns < 10000)
		return usage("--interval: at least 10us");
	if (args->window_ns < 10000000)
		return usage("--window: at least 10ms");
	if (args->slots < 2 || args->slots > 1 << 20)
		return usage("--slots: between 2 and 1048576");
	if (!is_power_of_2(args->ring_kb) || args->ring_kb < 4 || args->ring_kb > 1 << 20)
		return usage("--ring-kb: a power of 2 between 4 and 1048576");
	if (!args->sums || args->sums > 1 << 22)
		return usage("--sums: between 1 and 4194304");
	return NULL;
}

static struct cprof_error *run(int argc, char **argv, int *status)
{
	struct record_args args = defaults;
	struct cprof_operands operands;
	bool help = false;
	struct cprof_error *error = options_parse(&record_command, argc - 1, argv + 1, &args, &operands, &help);

	if (!error && help) {
		options_print_command_help(&program, &record_command, stdout);
		*status = 0;
		return NULL;
	}
	if (!error)
		error = check(&args, &operands);
	return error ? error : record_run(&args, &operands, status);
}

/* As the program ended, so do we: whoever started us sees the same. */
static void end_by_signal(int signal_number)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t mask;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(signal_number, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, signal_number);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(signal_number);
}

int main(int argc, char **argv)
{
	struct cprof_error *error;
	int status = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) /* started with them closed: no file of ours may take their place */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			break;
	if (answer(argc, argv))
		return 0;
	error = run(argc, argv, &status);
	if (error) {
		cprof_error_print(error, "cprof-record");
		status = error->code == CPROF_ERROR_USAGE ? 2 : status ? status : RECORD_NOT_STARTED;
		cprof_error_free(error);
	}
	if (status < 0) {
		end_by_signal(-status);
		status = 128 - status;
	}
	return status;
}
