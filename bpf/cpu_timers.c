/* SPDX-License-Identifier: BSD-2-Clause */
/* See cpu_timers.h. */
#include "cpu_timers.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct cpu_timer {
	struct bpf_link *link; /* owns the descriptor */
};

void cpu_timers_close(struct cpu_timers *timers)
{
	for (size_t i = 0; i < timers->count; i++)
		bpf_link__destroy(timers->items[i].link);
	free(timers->items);
	*timers = (struct cpu_timers) { NULL, 0 };
}

/* Waits for a random part of a period before the CPU's timer starts: no two run in step, nor with the program's start. */
static void wait_phase(uint64_t period_ns)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		return;
	uint64_t phase_ns = random % period_ns;
	struct timespec phase = { (time_t)(phase_ns / 1000000000u), (long)(phase_ns % 1000000000u) };

	nanosleep(&phase, NULL);
}

static struct cprof_error *open_one(struct bpf_program *program, int cpu, uint64_t period_ns, struct cpu_timer *ret)
{
	struct perf_event_attr attr = { .size = sizeof attr,
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period = period_ns,
					.disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return cprof_error_os(errno, NULL, "open a CPU's timer");
	wait_phase(period_ns < 20000000 ? period_ns : 20000000);
	ret->link = bpf_program__attach_perf_event(program, fd); /* enables it */
	if (ret->link)
		return NULL;
	struct cprof_error *error = cprof_error_os(errno, NULL, "attach to a CPU's timer");

	close(fd);
	return error;
}

struct cprof_error *cpu_timers_open(struct bpf_program *program, uint64_t period_ns, struct cpu_timers *ret)
{
	int cpus = libbpf_num_possible_cpus();
	struct cpu_timers timers = { calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(struct cpu_timer)), 0 };
	struct cprof_error *error = timers.items ? NULL : &cprof_enomem;

	for (int cpu = 0; !error && cpu < cpus; cpu++) {
		error = open_one(program, cpu, period_ns, &timers.items[timers.count]);
		if (!error) {
			timers.count++;
		} else if (error->os_errno == ENODEV || error->os_errno == ENXIO) { /* not on-line */
			cprof_error_free(error);
			error = NULL;
		}
	}
	if (!error && !timers.count)
		error = cprof_error_create(CPROF_ERROR_UNSUPPORTED, "no CPU gave a timer");
	if (error)
		cpu_timers_close(&timers);
	else
		*ret = timers;
	return error;
}
