/* SPDX-License-Identifier: BSD-2-Clause */
/* See calls_memfd.h. */
#include "calls_memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(4096 % sizeof(struct cprof_calls_row) == 0 && 4096 % sizeof(struct cprof_calls_file) == 0, "none is in two pages");

enum {
	PAGE = 4096, FILES = 16384, RECORDS = 4096, PROCESSES = 4096,
	ROWS_PER_SUM = 4, /* they are kept to the end, and are to be found after few steps */
	ROWS_MOST = 1 << 20
};

static uint64_t place_array(uint64_t *end, uint64_t bytes)
{
	uint64_t at = *end;

	*end = (at + bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	return at;
}

static struct cprof_calls_header layout_of(const struct record_args *args, uint32_t sources)
{
	struct cprof_calls_header header = { .magic = CPROF_CALLS_MAGIC,
					     .version = CPROF_CALLS_VERSION,
					     .sources = sources,
					     .io_threshold_ns = args->io_threshold_ns,
					     .lock_threshold_ns = args->lock_threshold_ns,
					     .nr_rows = CPROF_CALLS_PROBES,
					     .nr_files = FILES,
					     .nr_records = RECORDS,
					     .nr_processes = PROCESSES };
	uint64_t end = PAGE;
	struct stat namespace;

	while (header.nr_rows < ROWS_PER_SUM * args->sums && header.nr_rows < ROWS_MOST)
		header.nr_rows *= 2;
	header.rows_at = place_array(&end, (uint64_t)header.nr_rows * sizeof(struct cprof_calls_row));
	header.files_at = place_array(&end, (uint64_t)header.nr_files * sizeof(struct cprof_calls_file));
	header.records_at = place_array(&end, (uint64_t)header.nr_records * sizeof(struct cprof_calls_record));
	header.processes_at = place_array(&end, (uint64_t)header.nr_processes * sizeof(struct cprof_calls_process));
	header.total_bytes = end;
	if (stat("/proc/self/ns/pid", &namespace) == 0)
		header.pid_namespace = namespace.st_ino;
	return header;
}

/* Not a duplicate: programs that have inherited the descriptor share its position. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool calls_memfd_used(const struct calls_memfd *memory, struct calls_array array, uint32_t *first, uint32_t *end)
{
	uint64_t from = array.at + (uint64_t)*first * array.item_bytes, most = array.at + (uint64_t)array.nr * array.item_bytes;
	off_t data = lseek(memory->scan, (off_t)from, SEEK_DATA), hole;

	if (*first >= array.nr)
		return false;
	if (data < 0 && errno != ENXIO) { /* it does not tell: all may be */
		*end = array.nr;
		return true;
	}
	if (data < 0 || (uint64_t)data >= most)
		return false;
	hole = lseek(memory->scan, data, SEEK_HOLE);
	if (hole <= data || (uint64_t)hole > most)
		hole = (off_t)most;
	*first = (uint32_t)(((uint64_t)data - array.at) / array.item_bytes);
	*end = (uint32_t)(((uint64_t)hole - array.at) / array.item_bytes);
	return true;
}

/* Systems may ask for a word on whether it is to be executed; older ones do not know the word. */
static int make_memory(void)
{
	enum { NOEXEC_SEAL = 8 }; /* MFD_NOEXEC_SEAL */
	int fd = memfd_create(CPROF_CALLS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);

	return fd >= 0 || errno != EINVAL ? fd : memfd_create(CPROF_CALLS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

struct cprof_error *calls_memfd_create(const struct record_args *args, uint32_t sources, struct calls_memfd *ret)
{
	struct calls_memfd memory = { .fd = make_memory(), .layout = layout_of(args, sources) };
	int error;

	ret->fd = ret->scan = -1;
	if (memory.fd < 0)
		return cprof_error_os(errno, NULL, "make memory for calls");
	if (ftruncate(memory.fd, (off_t)memory.layout.total_bytes) == 0 && fcntl(memory.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		memory.at = mmap(NULL, memory.layout.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
		if (memory.at != MAP_FAILED) {
			*memory.at = memory.layout;
			memory.scan = open_again(memory.fd);
			*ret = memory;
			return NULL;
		}
	}
	error = errno;
	close(memory.fd);
	return cprof_error_os(error, NULL, "make memory for calls");
}

void calls_memfd_stop(const struct calls_memfd *memory, uint64_t now_ns)
{
	__atomic_store_n(&memory->at->stopped_ns, now_ns, __ATOMIC_RELEASE);
}

void calls_memfd_close(struct calls_memfd *memory)
{
	if (memory->at)
		munmap(memory->at, memory->layout.total_bytes);
	if (memory->fd >= 0)
		close(memory->fd);
	if (memory->scan >= 0)
		close(memory->scan);
	memory->at = NULL;
	memory->fd = memory->scan = -1;
}
