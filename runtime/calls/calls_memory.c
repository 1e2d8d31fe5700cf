/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "rt_sys.h"

struct calls_memory calls_memory;

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW };

static bool failed(long result)
{
	return result < 0 && result > -4096;
}

static bool fits(uint64_t at, uint32_t nr, uint64_t item_bytes, uint64_t total, bool power)
{
	return at >= sizeof(struct cprof_calls_header) && at <= total && at % 8 == 0 && nr && nr <= (total - at) / item_bytes &&
	       (!power || !(nr & (nr - 1)));
}

static bool is_sound(const struct cprof_calls_header *header, uint64_t bytes)
{
	return header->magic == CPROF_CALLS_MAGIC && header->version == CPROF_CALLS_VERSION && header->total_bytes == bytes &&
	       fits(header->rows_at, header->nr_rows, sizeof(struct cprof_calls_row), bytes, true) &&
	       fits(header->files_at, header->nr_files, sizeof(struct cprof_calls_file), bytes, true) &&
	       fits(header->records_at, header->nr_records, sizeof(struct cprof_calls_record), bytes, true) &&
	       fits(header->processes_at, header->nr_processes, sizeof(struct cprof_calls_process), bytes, false);
}

/*
 * A descriptor with that number may be anybody's: only memory whose size nobody can change any more, and that says what it is, is mapped.
 */
static bool map(int fd)
{
	struct stat facts;
	long seals = rt_sys(SYS_fcntl, fd, F_GET_SEALS);

	if (failed(seals) || (seals & SEALS) != SEALS || rt_sys(SYS_fstat, fd, &facts) ||
	    facts.st_size < (off_t)sizeof(struct cprof_calls_header))
		return false;
	uint64_t bytes = (uint64_t)facts.st_size;
	long address = rt_sys(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (failed(address))
		return false;
	struct cprof_calls_header *header = (void *)address, seen = *header;
	if (!is_sound(&seen, bytes)) {
		rt_sys(SYS_munmap, address, bytes);
		return false;
	}
	rt_sys(SYS_madvise, address, bytes, MADV_DONTDUMP);
	calls_memory = (struct calls_memory){
		.nr_rows = seen.nr_rows, .nr_files = seen.nr_files, .nr_records = seen.nr_records, .nr_processes = seen.nr_processes,
		.io_threshold_ns = seen.io_threshold_ns, .lock_threshold_ns = seen.lock_threshold_ns, .pid_namespace = seen.pid_namespace,
		.header = header,
		.rows = (void *)(address + (long)seen.rows_at), .files = (void *)(address + (long)seen.files_at),
		.records = (void *)(address + (long)seen.records_at), .processes = (void *)(address + (long)seen.processes_at),
	};
	return true;
}

static bool map_inherited(void)
{
	const char *text = getenv("CPROF_CALLS_FD"), *end;

	if (!text || !*text)
		return false;
	uint64_t fd = rt_text_number(text, &end);
	return !*end && fd <= INT32_MAX && map((int)fd);
}

/* Some programs close what they inherit before they start others: those find it where the recorder has it. */
static bool map_by_path(void)
{
	const char *path = getenv("CPROF_CALLS_PATH");
	long fd = path && *path == '/' ? rt_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;

	if (failed(fd))
		return false;
	bool mapped = map((int)fd);

	rt_sys(SYS_close, fd);
	return mapped;
}

bool calls_memory_open(void)
{
	return !getauxval(AT_SECURE) && (map_inherited() || map_by_path());
}

uint32_t calls_memory_sources(void)
{
	return calls_memory.header->sources;
}

void calls_memory_begin(uint32_t sources)
{
	__atomic_store_n(&calls_memory.sources, sources, __ATOMIC_RELEASE);
}
