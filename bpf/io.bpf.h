/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * File I/O: one sum per context, system call and file, a record for the long ones.
 *
 * The file is looked up when the call begins, for then the descriptor is certainly what the program meant, and a wait in the call can be said to be for
 * it; where the call makes the descriptor (open, accept), when it ends; a path again then, if it could not be read before the kernel had. A call
 * that a signal interrupted counts as one and transferred nothing.
 */
#ifndef CPROF_IO_BPF_H
#define CPROF_IO_BPF_H

#include "file.bpf.h"
#include "stacks.bpf.h"
#include "sums.bpf.h"

/* Who wrote to a file last: its write-back, done by threads of the kernel, is charged to that. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct cprof_file_id);
	__type(value, struct cprof_who);
} file_writers SEC(".maps");

static __always_inline void file_written(const struct cprof_file_id *id, const struct cprof_who *who)
{
	struct cprof_who *last = bpf_map_lookup_elem(&file_writers, id);

	if (last && last->context == who->context && last->tgid == who->tgid && last->tid == who->tid && last->generation == who->generation)
		return;
	bpf_map_update_elem(&file_writers, id, who, BPF_ANY);
}

static __always_inline void io_file_by_path(const struct pt_regs *regs, const struct syscall_state *call, struct cprof_file_id *id)
{
	if (call->kind & (SYSCALL_PATH_FIRST | SYSCALL_PATH_SECOND))
		file_of_path((void *)(call->kind & SYSCALL_PATH_FIRST ? regs->di : regs->si), id);
}

static __always_inline void io_entered(struct task_struct *task, struct task_record *record, struct pt_regs *regs, struct syscall_state *call)
{
	struct file *file;
	struct cprof_file_id id = {};

	who_fill(task, record, &call->who);
	call->fd = -1;
	call->object = id;
	call->direct = 0;
	call->mode = 0;
	if ((call->kind & SYSCALL_FILE_MASK) == SYSCALL_FILE_NONE) {
		io_file_by_path(regs, call, &id);
		call->object = id;
		return;
	}
	if ((call->kind & SYSCALL_FILE_MASK) != SYSCALL_FILE_ARGUMENT)
		return;
	call->fd = (int)regs->di;
	file = file_of(task, call->fd);
	if (!file)
		return;
	call->mode = file_identify(file, &id);
	call->direct = call->kind & SYSCALL_TRANSFERS && BPF_CORE_READ(file, f_flags) & FILE_FLAG_DIRECT;
	call->object = id;
}

/* What the end of the call tells about its file. */
static __always_inline void io_file_at_end(struct task_struct *task, struct pt_regs *regs, struct syscall_state *call, long result)
{
	struct cprof_file_id id = {};

	if ((call->kind & SYSCALL_FILE_MASK) == SYSCALL_FILE_RESULT && result >= 0) {
		struct file *file = file_of(task, (int)result);

		call->fd = (int)result;
		if (file)
			call->mode = file_identify(file, &id);
	} else if (call->kind & (SYSCALL_PATH_FIRST | SYSCALL_PATH_SECOND) && !call->object.inode) {
		io_file_by_path(regs, call, &id);
	} else {
		return;
	}
	call->object = id;
}

static __always_inline void io_sum(const struct syscall_state *call, __u64 ns, __u64 bytes, __u64 stack)
{
	struct cprof_kernel_sum_key key;

	sum_key_init(&key, &call->who, CPROF_SUM_SYSCALL, call->number);
	key.object = call->object.inode;
	key.device = call->object.device;
	key.other = call->object.generation;
	key.stack = stack;
	sum_add(&key, ns, bytes);
}

static __always_inline void io_say(const struct syscall_state *call, __u64 start_ns, __u64 ns, long result, bool open)
{
	struct ring_head *head = ring_reserve(RING_IO, sizeof(struct cprof_kernel_io));
	struct cprof_kernel_io *io = (void *)(head + 1);

	if (!head)
		return;
	io->time_ns = start_ns;
	io->duration_ns = ns;
	io->who = call->who;
	io->result = result;
	io->file = call->object;
	io->syscall = call->number;
	io->fd = call->fd;
	io->open = open;
	io->reserved = 0;
	ring_submit(head);
}

static __always_inline void io_left(void *ctx, struct task_struct *task, struct pt_regs *regs, struct syscall_state *call, __u64 start_ns, __u64 ns,
				    long result)
{
	struct cprof_file_id id = {};
	__u64 stack = 0;

	io_file_at_end(task, regs, call, result);
	if (call->kind & SYSCALL_WRITES && result > 0 && (call->mode & S_IFMT_MASK) == S_IFREG_BITS && !call->direct) {
		id = call->object;
		file_written(&id, &call->who);
	}
	if (call->who.quality >= CPROF_QUALITY_UNREGISTERED)
		stack = stack_current(ctx, SCRATCH_SYSCALL, false);
	io_sum(call, ns, call->kind & SYSCALL_TRANSFERS && result > 0 ? result : 0, stack);
	if (ns >= settings.io_threshold_ns)
		io_say(call, start_ns, ns, result, false);
}

#endif
