/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libc that move data: each calls the next one, returns what that returned, and counts it.
 *
 * The file is looked up where the descriptor certainly means it: before the call, or after the one that made it. A path is only read when
 * the kernel has read it. Nothing is done between the call and its return that touches errno. A call that never returns (a cancelled
 * thread, a longjmp out of a handler, the end of the process) is not counted.
 */
#include <errno.h>
#include <stdarg.h>

#include "calls_files.h"
#include "calls_memory.h"
#include "calls_next.h"
#include "calls_process.h"
#include "calls_sums.h"
#include "calls_who.h"

#define EXPORT __attribute__((visibility("default")))

struct call {
	uint64_t start_ns;
	struct calls_file file;
	int fd;
};

static __attribute__((noinline)) void begin(struct call *call, int fd)
{
	*call = (struct call){ .fd = fd };
	if (fd >= 0)
		call->file = calls_files_of_descriptor(fd, false);
	call->start_ns = calls_now_ns();
}

/* result: as the system call has it. */
static void add(const struct call *call, uint64_t ns, uint32_t number, long result, long bytes)
{
	uint32_t pid = calls_process_pid();
	struct cprof_kernel_sum_key key = {
		.kind = CPROF_SUM_SYSCALL, .sub = number, .object = call->file.inode, .device = call->file.device
	};

	if (!pid)
		return;
	calls_who_fill(pid, &key.who);
	calls_sums_add(&key, ns, bytes > 0 ? (uint64_t)bytes : 0);
	if (ns < calls_memory.io_threshold_ns)
		return;
	struct cprof_kernel_io io = { .time_ns = call->start_ns,
				      .duration_ns = ns,
				      .who = key.who,
				      .result = result,
				      .file = { call->file.inode, call->file.device, 0 },
				      .syscall = number,
				      .fd = call->fd };

	io.who.tid = calls_who_tid();
	calls_sums_record(&io, NULL);
}

static inline long result_of(long returned)
{
	return returned == -1 ? -(long)errno : returned;
}

static __attribute__((noinline)) void end(struct call *call, uint32_t number, long result, long bytes)
{
	add(call, calls_now_ns() - call->start_ns, number, result, bytes);
}

static __attribute__((noinline)) void end_made(struct call *call, uint32_t number, long result, const char *path)
{
	uint64_t ns = calls_now_ns() - call->start_ns;

	if (result >= 0) {
		call->fd = (int)result;
		call->file = calls_files_of_descriptor(call->fd, true);
	} else if (path) {
		call->file = calls_files_of_path(path, result);
	}
	add(call, ns, number, result, 0);
}

static __attribute__((noinline)) void end_path(struct call *call, uint32_t number, long result, const char *path)
{
	uint64_t ns = calls_now_ns() - call->start_ns;

	call->file = calls_files_of_path(path, result);
	add(call, ns, number, result, 0);
}

/* What the kinds differ in: the file before the call, and what its end says. */
#define FILE_MOVES fd
#define FILE_NAMED fd
#define FILE_ERROR fd
#define FILE_MAKES (-1)
#define FILE_OPENS (-1)
#define FILE_PATH  (-1)
#define FILE_NONE  (-1)
#define END_MOVES(number) end(&call, number, result_of(result), result)
#define END_NAMED(number) end(&call, number, result_of(result), 0)
#define END_ERROR(number) end(&call, number, -(long)result, 0)
#define END_MAKES(number) end_made(&call, number, result_of(result), NULL)
#define END_OPENS(number) end_made(&call, number, result_of(result), path)
#define END_PATH(number)  end_path(&call, number, result_of(result), path)
#define END_NONE(number)  END_NAMED(number)

#define WRAPPER(kind, type, name, arguments, number) \
	{ \
		if (!calls_memory_counts(CPROF_CALLS_IO)) \
			return CALLS_NEXT(name) arguments; \
		struct call call; \
		begin(&call, FILE_##kind); \
		type result = CALLS_NEXT(name) arguments; \
		END_##kind(number); \
		return result; \
	}

#define CALLS_X(kind, type, name, parameters, arguments, number) \
	EXPORT type name parameters; \
	type name parameters WRAPPER(kind, type, name, arguments, number)
CALLS_IO_FUNCTIONS(CALLS_X)
#undef CALLS_X

static inline bool has_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

#define CALLS_X(type, name, parameters, arguments, number) \
	EXPORT type name parameters; \
	type name parameters \
	{ \
		mode_t mode = 0; \
		if (has_mode(flags)) { \
			va_list more; \
			va_start(more, flags); \
			mode = va_arg(more, mode_t); \
			va_end(more); \
		} \
		WRAPPER(OPENS, type, name, arguments, number) \
	}
CALLS_OPEN_FUNCTIONS(CALLS_X)
#undef CALLS_X

EXPORT void sync(void)
{
	struct call call;

	if (!calls_memory_counts(CPROF_CALLS_IO)) {
		CALLS_NEXT(sync)();
		return;
	}
	begin(&call, -1);
	CALLS_NEXT(sync)();
	end(&call, SYS_sync, 0, 0);
}
