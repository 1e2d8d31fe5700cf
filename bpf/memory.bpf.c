/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Allocations of processes without the interposer: uprobes on the functions of the allocator that the process uses, whichever it is.
 *
 * Each function has the same two programs, told apart by the link's cookie (enum memory_function). What a call asked for waits in a frame of the thread until
 * it returns; frames are found by the stack pointer, so that a call which never returns (longjmp) leaves nothing behind that is taken for
 * another's. Functions that are made of others (glibc's realloc(NULL) calls malloc) count once: where the innermost has counted, the outer does not.
 *
 * A block is known by process, image and address from the allocator's return until just before it gets it back: then another thread may
 * have the address at once. A realloc that fails puts it back.
 */
#include "context.bpf.h"
#include "stacks.bpf.h"
#include "sums.bpf.h"

enum { MEMORY_FRAMES = 4, ENTRY_TO_RETURN_BYTES = 8 /* the return address */ };

struct block_key {
	__u32 tgid, image;
	__u64 address;
};
struct block_value {
	struct cprof_who who;
	__u64 stack, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20); /* cprof-record sets it */
	__type(key, struct block_key);
	__type(value, struct block_value);
} memory_blocks SEC(".maps");

struct memory_frame {
	__u64 sp;           /* at the function's entry; 0: not in use */
	__u64 bytes, place; /* place: where posix_memalign puts the address */
	__u64 old;          /* realloc's block */
	struct block_value old_value;
	__u8 old_known, counted; /* counted: an allocation by a function that this one called */
};
struct memory_frames {
	struct memory_frame frame[MEMORY_FRAMES];
	__u32 depth;
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct memory_frames);
} memory_frames SEC(".maps");

/* The registers of a probed process lie as the processor's ABI says: nothing to relocate. */
struct probed_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

static __always_inline bool block_key_make(struct task_struct *task, __u64 address, struct block_key *key)
{
	struct process_record *process = process_find(task->tgid);

	key->tgid = task->tgid;
	key->image = process ? process->image : 0;
	key->address = address;
	return process != NULL;
}

/* Nobody knows the block from here on. */
static __always_inline bool block_take(struct task_struct *task, __u64 address, struct block_value *ret)
{
	struct block_key key = {};
	struct block_value *value;

	if (!block_key_make(task, address, &key))
		return false;
	value = bpf_map_lookup_elem(&memory_blocks, &key);
	if (!value)
		return false;
	*ret = *value; /* the element may be another's as soon as it is deleted */
	return !bpf_map_delete_elem(&memory_blocks, &key);
}

static __always_inline bool block_put(struct task_struct *task, __u64 address, const struct block_value *value)
{
	struct block_key key = {};

	if (block_key_make(task, address, &key) && !bpf_map_update_elem(&memory_blocks, &key, value, BPF_ANY))
		return true;
	counter_add(COUNTER_MEMORY_FULL, 1);
	return false;
}

static __always_inline void block_freed(const struct block_value *value)
{
	struct cprof_kernel_sum_key key;

	sum_key_init(&key, &value->who, CPROF_SUM_FREE, 0);
	key.stack = value->stack;
	sum_add(&key, 0, value->bytes);
}

static __always_inline void block_made(void *ctx, struct task_struct *task, struct task_record *record, __u64 address, __u64 bytes)
{
	struct block_value value = { .bytes = bytes };
	struct cprof_kernel_sum_key key;

	who_fill(task, record, &value.who);
	value.who.tid = 0; /* sums have none */
	value.stack = value.who.quality >= CPROF_QUALITY_UNREGISTERED ? stack_current(ctx, SCRATCH_UPROBE, false) : 0;
	if (!block_put(task, address, &value))
		return; /* its free could not be seen: it would look like a leak */
	sum_key_init(&key, &value.who, CPROF_SUM_ALLOC, 0);
	key.stack = value.stack;
	sum_add(&key, 0, bytes);
}

/* Room for one more; those that the stack pointer has passed never returned. */
static __always_inline struct memory_frame *frame_push(struct memory_frames *frames, __u64 sp)
{
	struct memory_frame *frame = NULL;

	for (int i = 0; i < MEMORY_FRAMES; i++) {
		if (frame)
			continue;
		if (!frames->frame[i].sp || frames->frame[i].sp <= sp)
			frame = &frames->frame[i];
	}
	if (!frame) {
		counter_add(COUNTER_MEMORY_NESTED, 1);
		return NULL;
	}
	__builtin_memset(frame, 0, sizeof *frame);
	frame->sp = sp;
	return frame;
}

SEC("uprobe")
int memory_entered(struct probed_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_record *record = task_find(task);
	__u64 function = bpf_get_attach_cookie(ctx), di = ctx->di, si = ctx->si, dx = ctx->dx, sp = ctx->sp;
	struct memory_frames *frames;
	struct memory_frame *frame;
	struct block_value value;

	if (!record)
		return 0;
	if (function == MEMORY_FREE) {
		if (di && block_take(task, di, &value))
			block_freed(&value);
		return 0;
	}
	frames = bpf_task_storage_get(&memory_frames, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!frames) {
		counter_add(COUNTER_TASKS_FULL, 1);
		return 0;
	}
	frame = frame_push(frames, sp);
	if (!frame)
		return 0;
	switch (function) {
	case MEMORY_CALLOC:
		frame->bytes = di * si;
		break;
	case MEMORY_MEMALIGN:
		frame->bytes = si;
		break;
	case MEMORY_POSIX_MEMALIGN:
		frame->place = di;
		frame->bytes = dx;
		break;
	case MEMORY_REALLOC:
		frame->old = di;
		frame->bytes = si;
		frame->old_known = di && block_take(task, di, &frame->old_value);
		break;
	default:
		frame->bytes = di;
	}
	return 0;
}

/* The frame of the call that has just returned: the one whose return address was there. Frames above it never returned. */
static __always_inline bool frame_pop(struct memory_frames *frames, __u64 sp, struct memory_frame *ret)
{
	bool found = false;

	for (int i = 0; i < MEMORY_FRAMES; i++) {
		struct memory_frame *frame = &frames->frame[i];

		if (!frame->sp)
			continue;
		if (frame->sp == sp) {
			*ret = *frame;
			found = true;
		}
		if (frame->sp <= sp)
			frame->sp = 0;
	}
	return found;
}

SEC("uprobe")
int memory_returned(struct probed_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_record *record = task_find(task);
	__u64 address = ctx->ax, sp = ctx->sp - ENTRY_TO_RETURN_BYTES;
	struct memory_frames *frames;
	struct memory_frame frame;

	if (!record)
		return 0;
	frames = bpf_task_storage_get(&memory_frames, task, 0, 0);
	if (!frames || !frame_pop(frames, sp, &frame))
		return 0;
	if (frame.place && (address || bpf_probe_read_user(&address, sizeof address, (void *)frame.place)))
		return 0; /* it returned an error */
	if (frame.old_known) {
		if (!address && frame.bytes)
			block_put(task, frame.old, &frame.old_value); /* refused: the old block is as it was */
		else
			block_freed(&frame.old_value);
	}
	if (!address)
		return 0;
	if (!frame.counted)
		block_made((void *)ctx, task, record, address, frame.bytes);
	for (int i = 0; i < MEMORY_FRAMES; i++)
		if (frames->frame[i].sp > sp)
			frames->frame[i].counted = 1;
	return 0;
}
