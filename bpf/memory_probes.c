/* SPDX-License-Identifier: BSD-2-Clause */
/* See memory_probes.h. */
#include "memory_probes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest_library.h"
#include "programs_maps.h"

enum { LINK_CREATE = 28, UPROBE_MULTI = PROGRAMS_UPROBE_MULTI, UPROBE_MULTI_RETURN = 1 };

/* The part of union bpf_attr that is meant here; newer than Debian's header. */
struct uprobe_multi_request {
	uint32_t program, target, attach_type, flags;
	uint64_t path, offsets, counters, cookies;
	uint32_t nr, multi_flags, pid, reserved;
};

static int link_create(int program, const char *path, const uint64_t *offsets, const uint64_t *cookies, size_t nr, bool on_return,
		       uint32_t pid)
{
	struct uprobe_multi_request request = { .program = (uint32_t)program,
						.attach_type = UPROBE_MULTI,
						.path = (uintptr_t)path,
						.offsets = (uintptr_t)offsets,
						.cookies = (uintptr_t)cookies,
						.nr = (uint32_t)nr,
						.multi_flags = on_return ? UPROBE_MULTI_RETURN : 0,
						.pid = pid };
	long link = syscall(SYS_bpf, LINK_CREATE, &request, sizeof request);

	return link < 0 ? -errno : (int)link;
}

void memory_probes_choose(const struct record_args *args, char **command, struct source_state *states, struct memory_probes *ret)
{
	struct source_state *state = record_source_state(states, "memory");
	struct cprof_error *error;

	*ret = (struct memory_probes){ .links = { 0, 0 } };
	if (!state->wanted)
		return;
	error = memory_target_choose(command ? command[0] : NULL, (uint32_t)args->pid, &ret->target);
	if (error) {
		snprintf(state->why, sizeof state->why, "%s", error->message);
		cprof_error_free(error);
		return;
	}
	state->elsewhere = ret->target.interposed;
	if (ret->target.preload[0])
		guest_library_preload(ret->target.preload);
}

static int attach(struct memory_probes *probes, const struct record_programs *programs, uint32_t pid)
{
	const struct memory_target *target = &probes->target;
	uint64_t offsets[MEMORY_PROBES_MAX], cookies[MEMORY_PROBES_MAX];
	size_t nr = 0;
	int link;

	for (size_t i = 0; i < target->nr; i++) {
		if (target->function[i] == MEMORY_FREE)
			continue;
		offsets[nr] = target->offset[i];
		cookies[nr++] = target->function[i];
	}
	/* Returns first: an entry without its return would leave a frame. */
	link = nr ? link_create(programs_memory_returned(programs), target->path, offsets, cookies, nr, true, pid) : 0;
	if (link < 0)
		return link;
	probes->links[1] = link;
	link = link_create(programs_memory_entered(programs), target->path, target->offset, target->function, target->nr, false, pid);
	if (link < 0)
		return link;
	probes->links[0] = link;
	return 0;
}

void memory_probes_attach(struct memory_probes *probes, const struct record_programs *programs, uint32_t pid, struct source_state *states)
{
	struct source_state *state = record_source_state(states, "memory");
	const struct memory_target *target = &probes->target;

	if (!state->wanted || state->why[0])
		return;
	if (target->interposed) {
		state->on = true;
		state->value = MEMORY_BY_INTERPOSER;
		snprintf(state->why, sizeof state->why, "by the interposer, in the program's own trace");
		return;
	}
	int result = attach(probes, programs, pid);

	if (result) {
		memory_probes_detach(probes);
		state->on = false;
		snprintf(state->why, sizeof state->why, "%s",
			 result == -EINVAL ? "the kernel has no BPF_TRACE_UPROBE_MULTI (Linux 6.6)" : strerror(-result));
		return;
	}
	state->on = true;
	state->value = MEMORY_BY_PROBES;
	size_t length = strlen(target->path), room = 48;

	snprintf(state->why, sizeof state->why, "by probes on %s%.48s%s", length > room ? "..." : "",
		 target->path + (length > room ? length - room : 0), target->slow ? " (slow)" : "");
}

void memory_probes_detach(struct memory_probes *probes)
{
	for (size_t i = 0; i < 2; i++) {
		if (probes->links[i] > 0)
			close(probes->links[i]);
		probes->links[i] = 0;
	}
}
