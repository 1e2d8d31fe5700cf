/* SPDX-License-Identifier: BSD-2-Clause */
/* See programs_maps.h. */
#include "programs_maps.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "programs.skel.h"

struct bpf_program *programs_sampler(const struct record_programs *programs)
{
	return programs->object->progs.cpu_sampled;
}

int programs_memory_entered(const struct record_programs *programs)
{
	return bpf_program__fd(programs->object->progs.memory_entered);
}

int programs_memory_returned(const struct record_programs *programs)
{
	return bpf_program__fd(programs->object->progs.memory_returned);
}

volatile uint32_t *programs_sums_active(const struct record_programs *programs)
{
	return &programs->object->bss->sums_active;
}

volatile uint32_t *programs_sums_keys(const struct record_programs *programs)
{
	return programs->object->bss->sums_keys;
}

struct cprof_error *programs_follow(const struct record_programs *programs, const struct process_record *process)
{
	uint32_t tgid = process->said.tgid;

	if (bpf_map_update_elem(bpf_map__fd(programs->object->maps.processes), &tgid, process, BPF_ANY))
		return cprof_error_os(errno, NULL, "follow the process");
	return NULL;
}
