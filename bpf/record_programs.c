/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_programs.h. */
#include "record_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "programs.skel.h"
#include "programs_maps.h"
#include "switch_sums.h"
#include "syscall_classes.h"
#include "syscall_kinds.h"

/* libbpf's own talk, for whoever looks for the reason: CPROF_RECORD_DEBUG=1. */
__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	return getenv("CPROF_RECORD_DEBUG") ? vfprintf(stderr, format, arguments) : 0;
}

static bool is_base(const char *name)
{
	for (const char *const *base = record_base_programs; *base; base++)
		if (strcmp(*base, name) == 0)
			return true;
	return false;
}

/* From Linux 6.13 on there is a tracepoint for the prctl that registers a thread. CPROF_RECORD_PRCTL=syscall does as older kernels have to: for tests. */
static bool kernel_tells_prctl(void)
{
	const char *by = getenv("CPROF_RECORD_PRCTL");

	return !(by && strcmp(by, "syscall") == 0) && libbpf_find_vmlinux_btf_id("task_prctl_unknown", BPF_TRACE_RAW_TP) > 0;
}

/*
 * From Linux 6.16 on there is one at the end of the scheduler. For tests: CPROF_RECORD_SWITCHES=early does as older kernels have to, =unseen, or =early-unseen,
 * as if one switch in eight were not said.
 */
static bool kernel_tells_scheduled(void)
{
	const char *how = getenv("CPROF_RECORD_SWITCHES");

	return !(how && strncmp(how, "early", 5) == 0) && libbpf_find_vmlinux_btf_id("sched_exit_tp", BPF_TRACE_RAW_TP) > 0;
}

static uint32_t switches_unseen_of(void)
{
	const char *how = getenv("CPROF_RECORD_SWITCHES");

	return how && strstr(how, "unseen") ? 8 : 0;
}

static bool is_of_source(const char *name, const struct source_state *states)
{
	for (size_t i = 0; i < nr_record_sources; i++)
		for (const char *const *program = record_sources[i].programs; *program; program++)
			if (states[i].wanted && !states[i].why[0] && !states[i].elsewhere && strcmp(*program, name) == 0)
				return true;
	return false;
}

/* One program registers threads. */
static bool is_wanted(const char *name, const struct source_state *states, bool tells_prctl)
{
	if (strcmp(name, "register_by_prctl") == 0)
		return tells_prctl;
	if (strcmp(name, "register_by_syscall") == 0)
		return !tells_prctl && !is_of_source("syscall_entered", states);
	if (strcmp(name, "sched_left") == 0)
		return kernel_tells_scheduled();
	return is_base(name) || is_of_source(name, states);
}

static int open_object(const struct record_args *args, const struct record_settings *settings, const struct source_state *states,
		       struct programs_bpf **ret)
{
	struct programs_bpf *object = programs_bpf__open();
	struct bpf_program *program;
	bool tells_prctl = kernel_tells_prctl();
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();

	if (!object)
		return -errno;
	struct record_settings *set = (struct record_settings *)&object->rodata->settings;

	*set = *settings;
	if (tells_prctl)
		set->prctl_number = 0;
	set->unseen_of = switches_unseen_of();
	set->switch_sums = switch_sums_per_cpu(cpus);
	syscall_classes_fill((uint8_t *)(uintptr_t)object->rodata->syscall_class, SYSCALL_NUMBERS);
	syscall_kinds_fill((uint8_t *)(uintptr_t)object->rodata->syscall_kind, SYSCALL_NUMBERS);
	bpf_object__for_each_program(program, object->obj) {
		bpf_program__set_autoload(program, is_wanted(bpf_program__name(program), states, tells_prctl));
		if (bpf_program__type(program) == BPF_PROG_TYPE_KPROBE)
			bpf_program__set_expected_attach_type(program, (enum bpf_attach_type)PROGRAMS_UPROBE_MULTI);
	}
	bpf_map__set_max_entries(object->maps.switch_sums, cpus * 2 * set->switch_sums);
	bpf_map__set_max_entries(object->maps.slots, settings->slots);
	bpf_map__set_max_entries(object->maps.ring, (uint32_t)(args->ring_kb << 10));
	bpf_map__set_max_entries(object->maps.sums_even, (uint32_t)args->sums);
	bpf_map__set_max_entries(object->maps.sums_odd, (uint32_t)args->sums);
	int result = programs_bpf__load(object);

	if (result) {
		programs_bpf__destroy(object);
		return result;
	}
	*ret = object;
	return 0;
}

static struct cprof_error *refusal(int error)
{
	if (error == -EPERM || error == -EACCES)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED,
					  "no permission to use BPF: run as root, or once: setcap cap_bpf,cap_perfmon+ep \"$(command -v cprof-record)\"");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF");
	return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "the kernel refused the BPF programs: %s (CPROF_RECORD_DEBUG=1 shows its reason)", strerror(-error));
}

/* All at once; if that fails, the base and then each source beside it, so that one that is refused takes no other with it. */
struct cprof_error *record_programs_load(const struct record_args *args, const struct record_settings *settings, struct source_state *states,
					 struct record_programs *ret)
{
	struct source_state alone[RECORD_SOURCES_MAX];
	struct programs_bpf *object;
	int result;

	libbpf_set_print(print_libbpf);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	result = open_object(args, settings, states, &object);
	if (result) {
		memset(alone, 0, sizeof alone);
		result = open_object(args, settings, alone, &object);
		if (result)
			return refusal(result);
		programs_bpf__destroy(object);
		for (size_t i = 0; i < nr_record_sources; i++) {
			if (!states[i].wanted || states[i].why[0] || states[i].elsewhere)
				continue;
			memset(alone, 0, sizeof alone);
			alone[i].wanted = true;
			result = open_object(args, settings, alone, &object);
			if (result)
				snprintf(states[i].why, sizeof states[i].why, "the kernel refused its programs: %s", strerror(-result));
			else
				programs_bpf__destroy(object);
		}
		result = open_object(args, settings, states, &object);
		if (result)
			return refusal(result);
	}
	*ret = (struct record_programs){ .object = object };
	return NULL;
}

static int attach(struct record_programs *programs, struct bpf_program *program)
{
	struct bpf_link *link;

	if (programs->nr_links == sizeof programs->links / sizeof *programs->links)
		return -E2BIG;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	programs->links[programs->nr_links++] = link;
	return 0;
}

static void turn_off(struct source_state *states, const char *name, int error)
{
	for (size_t i = 0; i < nr_record_sources; i++)
		for (const char *const *program = record_sources[i].programs; *program; program++)
			if (strcmp(*program, name) == 0)
				snprintf(states[i].why, sizeof states[i].why, "cannot attach %s: %s", name, strerror(-error));
}

struct cprof_error *record_programs_attach(struct record_programs *programs, struct source_state *states)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, programs->object->obj) {
		const char *name = bpf_program__name(program);
		enum bpf_prog_type type = bpf_program__type(program);

		if (!bpf_program__autoload(program) || type == BPF_PROG_TYPE_PERF_EVENT || type == BPF_PROG_TYPE_KPROBE)
			continue; /* those have attachments of their own */
		int result = attach(programs, program);

		if (result && (is_base(name) || strcmp(name, "syscall_entered") == 0))
			return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "cannot attach %s: %s", name, strerror(-result));
		if (result)
			turn_off(states, name, result);
	}
	for (size_t i = 0; i < nr_record_sources; i++)
		states[i].on = states[i].wanted && !states[i].why[0];
	return NULL;
}

void record_programs_detach(struct record_programs *programs)
{
	while (programs->nr_links)
		bpf_link__destroy(programs->links[--programs->nr_links]);
}

void record_programs_deinit(struct record_programs *programs)
{
	record_programs_detach(programs);
	if (programs->object)
		programs_bpf__destroy(programs->object);
	programs->object = NULL;
}

static int walk_descriptor(const struct record_programs *programs)
{
	for (size_t i = 0; i < programs->nr_links; i++) {
		struct bpf_link_info info = { .type = 0 };
		__u32 bytes = sizeof info;

		if (!bpf_obj_get_info_by_fd(bpf_link__fd(programs->links[i]), &info, &bytes) && info.type == BPF_LINK_TYPE_ITER)
			return bpf_iter_create(bpf_link__fd(programs->links[i]));
	}
	return -ENOENT;
}

struct cprof_error *record_programs_meet(struct record_programs *programs, bool walk)
{
	struct cprof_error *error = walk ? record_programs_walk(programs, false) : NULL;

	programs->object->bss->tasks_met = 1;
	return error || !walk ? error : record_programs_walk(programs, false);
}

struct cprof_error *record_programs_walk(struct record_programs *programs, bool say)
{
	char nothing[64];
	ssize_t got;
	int fd = walk_descriptor(programs);

	if (fd < 0)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "cannot walk the tasks: %s", strerror(-fd));
	programs->object->bss->tasks_say = say;
	do {
		got = read(fd, nothing, sizeof nothing);
	} while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
	close(fd);
	return got < 0 ? cprof_error_os(errno, NULL, "walk the tasks") : NULL;
}

const char *record_programs_missed(const struct record_programs *programs, size_t index, uint64_t *missed)
{
	struct bpf_program *program;

	*missed = 0;
	bpf_object__for_each_program(program, programs->object->obj) {
		struct bpf_prog_info info = { .type = 0 };
		__u32 bytes = sizeof info;

		if (!bpf_program__autoload(program) || index--)
			continue;
		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes))
			*missed = info.recursion_misses;
		return bpf_program__name(program);
	}
	return NULL;
}

int record_programs_map(const struct record_programs *programs, const char *name)
{
	return bpf_object__find_map_fd_by_name(programs->object->obj, name);
}
