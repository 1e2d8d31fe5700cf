/* SPDX-License-Identifier: BSD-2-Clause */
/* See perf_rings.h. Layouts: perf_event_open(2), <linux/perf_event.h>. */
#include "perf_rings.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel_format.h"
#include "record_clock.h"
#include "vec.h"

#define FORMAT_LOST (1u << 4) /* PERF_FORMAT_LOST, where the header is older */

enum { RING_BYTES = 512 << 10 /* with a page for its header, what kernel.perf_event_mlock_kb allows each user and CPU */, RING_BYTES_LEAST = 32 << 10,
       RECORD_BYTES = 8 << 10 /* more than any that comes has: with a path, or with frames */ };

/*
 * Events of each kind for each thread that is followed from the beginning and each CPU (a ring and `inherit` go together only so); those of a CPU share its
 * ring. NOTES carries switches, the life of threads and what they map. A sample's period says which of the other two it is of.
 */
enum event_kind { EVENT_NOTES, EVENT_SAMPLES, EVENT_FAULTS, NR_EVENTS };
enum { FAULT_PERIOD = 1, ROUNDS_MAX = 8 };

struct perf_event {
	int fd;
	uint8_t kind;
	uint32_t tid;                /* the thread for which it was opened */
	uint64_t number;             /* later ones have higher */
};

/*
 * From which thread's events one thread's news are taken. One that is born while its parent's events are being opened inherits some of them, which ones nobody
 * says: it has all of its own opened then, and what the others say of it is left out.
 */
struct perf_owner {
	uint32_t tid, owner;
	uint64_t since_ns;           /* its birth, or when its events were opened */
};

struct perf_ring {
	struct perf_event_mmap_page *header;
	uint64_t bytes;              /* of the data, which comes a page behind the header */
	int cpu, fd;                 /* fd: of the event that it was made for */
};

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* --- reading --- */

/* A record, copied out of the ring: it may lie around its end. */
struct reader {
	const uint8_t *at, *end;
};

static bool take_bytes(struct reader *reader, void *ret, size_t bytes)
{
	if ((size_t)(reader->end - reader->at) < bytes)
		return false;
	memcpy(ret, reader->at, bytes);
	reader->at += bytes;
	return true;
}

/* What each record of another kind than SAMPLE ends with. */
struct note_end {
	uint32_t tgid, tid;
	uint64_t time_ns, event;
	uint32_t cpu, reserved;
};

static bool frames_take(struct perf_rings *rings, struct reader *reader, struct perf_news *news)
{
	bool kernel = true;
	uint64_t nr;

	if (!take_bytes(reader, &nr, sizeof nr) || nr > (size_t)(reader->end - reader->at) / sizeof(uint64_t) ||
	    !vec_reserve(&rings->frames, &rings->frames_capacity, rings->nr_frames + nr, sizeof *rings->frames))
		return false;
	news->frames_at = rings->nr_frames;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t address;

		if (!take_bytes(reader, &address, sizeof address))
			return false;
		if (address >= PERF_CONTEXT_MAX) {
			kernel = address == PERF_CONTEXT_KERNEL;
			continue;
		}
		if (news->nr_kernel + news->nr_user == CPROF_STACK_DEPTH_MAX)
			break;
		rings->frames[rings->nr_frames++] = address;
		if (kernel)
			news->nr_kernel++;
		else
			news->nr_user++;
	}
	return true;
}

static bool sample_take(struct perf_rings *rings, struct reader *reader, uint16_t misc, struct perf_news *news)
{
	uint64_t period;
	uint32_t unused;

	if (!take_bytes(reader, &news->ip, 8) || !take_bytes(reader, &news->tgid, 4) || !take_bytes(reader, &news->tid, 4) ||
	    !take_bytes(reader, &news->time_ns, 8) || !take_bytes(reader, &news->event, 8) || !take_bytes(reader, &news->cpu, 4) ||
	    !take_bytes(reader, &unused, 4) || !take_bytes(reader, &period, sizeof period))
		return false;
	news->by = news->tid;
	news->kind = period == FAULT_PERIOD ? PERF_FAULTED : PERF_SAMPLED;
	news->in_kernel = (misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
	return news->kind == PERF_FAULTED || frames_take(rings, reader, news);
}

/*
 * MMAP2 behind pid and tid. Build ids (attr.build_id) would stand in the place of the inode, and are not asked for: Linux, 6.18 as well, then sets
 * PERF_RECORD_MISC_MMAP_BUILD_ID in what it says to others who did not ask for them, and perf falls over it. For the same reason the flag means nothing here.
 */
struct mapping_record {
	uint64_t address, bytes, file_offset;
	uint32_t major, minor;
	uint64_t inode, inode_generation;
	uint32_t access, flags;
};

static bool mapping_take(struct reader *reader, struct perf_news *news)
{
	struct mapping_record record;
	uint32_t ids[2];
	size_t length;

	if (!take_bytes(reader, ids, sizeof ids) || !take_bytes(reader, &record, sizeof record))
		return false;
	length = strnlen((const char *)reader->at, (size_t)(reader->end - reader->at));
	news->kind = PERF_MAPPED;
	news->mapping = calloc(1, sizeof *news->mapping + length + 1);
	if (!news->mapping)
		return false;
	*news->mapping = (struct perf_mapping){ record.address, record.address + record.bytes, record.file_offset, record.inode };
	memcpy(news->mapping->path, reader->at, length);
	return true;
}

static bool note_take(uint32_t type, uint16_t misc, struct reader *reader, struct perf_news *news)
{
	struct note_end end;

	if ((size_t)(reader->end - reader->at) < sizeof end)
		return false;
	memcpy(&end, reader->end - sizeof end, sizeof end);
	reader->end -= sizeof end;
	news->tgid = end.tgid;
	news->tid = news->by = end.tid;
	news->time_ns = end.time_ns;
	news->event = end.event;
	news->cpu = end.cpu;
	switch (type) {
	case PERF_RECORD_SWITCH:
		news->kind = misc & PERF_RECORD_MISC_SWITCH_OUT ? PERF_LEFT : PERF_RETURNED;
		news->preempted = misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
		return true;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT: {
		uint32_t ids[4]; /* pid, parent's pid, tid, parent's tid */

		news->kind = type == PERF_RECORD_FORK ? PERF_FORKED : PERF_ENDED;
		if (!take_bytes(reader, ids, sizeof ids))
			return false;
		news->tgid = ids[0];
		news->parent_tgid = ids[1];
		news->tid = ids[2];
		return true;
	}
	case PERF_RECORD_COMM: {
		uint32_t ids[2];
		size_t length;

		news->kind = misc & PERF_RECORD_MISC_COMM_EXEC ? PERF_EXECUTED : PERF_NAMED;
		if (!take_bytes(reader, ids, sizeof ids))
			return false;
		news->tgid = ids[0];
		news->tid = ids[1];
		length = (size_t)(reader->end - reader->at);
		memcpy(news->name, reader->at, length < sizeof news->name - 1 ? length : sizeof news->name - 1);
		return true;
	}
	case PERF_RECORD_MMAP2:
		return mapping_take(reader, news);
	default:
		return false;
	}
}

static struct cprof_error *record_take(struct perf_rings *rings, const struct perf_event_header *header, struct reader reader)
{
	struct perf_news news = { .order = rings->next_order++ };
	bool sound;

	switch (header->type) {
	case PERF_RECORD_LOST: {
		uint64_t lost[2] = { 0, 0 }; /* id, number */

		if (!rings->counts_lost && take_bytes(&reader, lost, sizeof lost))
			rings->lost_notes += lost[1];
		return NULL;
	}
	case PERF_RECORD_SAMPLE:
		sound = sample_take(rings, &reader, header->misc, &news);
		break;
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_COMM:
	case PERF_RECORD_MMAP2:
		sound = note_take(header->type, header->misc, &reader, &news);
		break;
	default: /* THROTTLE and what later kernels may say */
		return NULL;
	}
	if (!sound) {
		rings->malformed++;
		return NULL;
	}
	if (!vec_reserve(&rings->news, &rings->news_capacity, rings->nr_news + 1, sizeof news)) {
		free(news.mapping);
		return &cprof_enomem;
	}
	rings->news[rings->nr_news++] = news;
	return NULL;
}

static struct cprof_error *ring_read(struct perf_rings *rings, const struct perf_ring *ring)
{
	const uint8_t *data = (const uint8_t *)ring->header + page_bytes();
	uint64_t head = __atomic_load_n(&ring->header->data_head, __ATOMIC_ACQUIRE), tail = ring->header->data_tail, first_tail = tail;
	struct cprof_error *error = NULL;
	uint8_t whole[65536];

	while (!error && tail < head) {
		uint64_t from = tail % ring->bytes, first;
		struct perf_event_header header;

		memcpy(&header, data + from, sizeof header); /* records begin at multiples of 8: the header never lies around the end */
		if (header.size < sizeof header || header.size > head - tail) {
			rings->malformed++;
			tail = head;
			break;
		}
		first = ring->bytes - from < header.size ? ring->bytes - from : header.size;
		memcpy(whole, data + from, first);
		memcpy(whole + first, data, header.size - first);
		error = record_take(rings, &header, (struct reader){ whole + sizeof header, whole + header.size });
		tail += header.size;
	}
	rings->full += __atomic_load_n(&ring->header->data_head, __ATOMIC_ACQUIRE) - first_tail > ring->bytes - RECORD_BYTES;
	__atomic_store_n(&ring->header->data_tail, tail, __ATOMIC_RELEASE);
	return error;
}

/* --- opening --- */

/* What the kernel takes. */
struct abilities {
	bool kernel;                 /* samples of it */
	bool counts_lost;            /* PERF_FORMAT_LOST, Linux 6.0 */
};

static struct perf_event_attr attributes(const struct perf_request *request, enum event_kind kind, struct abilities can)
{
	struct perf_event_attr attr = { .size = sizeof attr,
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY,
					.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD,
					.sample_id_all = 1,
					.inherit = request->pid != 0,
					.disabled = request->pid && !request->running,
					.enable_on_exec = request->pid && !request->running,
					.exclude_kernel = !can.kernel,
					.read_format = can.counts_lost ? FORMAT_LOST : 0,
					.exclude_hv = 1,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };

	switch (kind) {
	case EVENT_SAMPLES:
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		attr.sample_period = request->period_ns;
		attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
		attr.sample_max_stack = CPROF_STACK_DEPTH_MAX;
		attr.exclude_callchain_kernel = !can.kernel;
		break;
	case EVENT_FAULTS:
		attr.config = PERF_COUNT_SW_PAGE_FAULTS;
		attr.sample_period = FAULT_PERIOD;
		break;
	default:
		attr.context_switch = request->switches;
		attr.task = attr.comm = attr.comm_exec = attr.mmap = attr.mmap2 = 1;
	}
	return attr;
}

static bool is_wanted(const struct perf_request *request, enum event_kind kind)
{
	return kind == EVENT_NOTES || (kind == EVENT_SAMPLES ? request->period_ns != 0 : request->faults);
}

static int map_ring(struct perf_ring *ring)
{
	for (size_t bytes = RING_BYTES; bytes >= RING_BYTES_LEAST && bytes >= page_bytes(); bytes /= 2) {
		void *at = mmap(NULL, page_bytes() + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);

		if (at == MAP_FAILED)
			continue;
		ring->header = at;
		ring->bytes = bytes;
		return 0;
	}
	return -errno;
}

/* 0 or a negative errno; what was opened is in rings->events. */
static int events_open(struct perf_rings *rings, const struct perf_request *request, uint32_t tid, struct perf_ring *ring, struct abilities can)
{
	int result = 0;

	for (enum event_kind kind = 0; !result && kind < NR_EVENTS; kind++) {
		struct perf_event_attr attr = attributes(request, kind, can);
		int fd;

		if (!is_wanted(request, kind))
			continue;
		if (!vec_reserve(&rings->events, &rings->events_capacity, rings->nr_events + 1, sizeof *rings->events))
			return -ENOMEM;
		fd = (int)syscall(SYS_perf_event_open, &attr, tid ? (pid_t)tid : -1, ring->cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0)
			return -errno;
		rings->events[rings->nr_events++] = (struct perf_event){ .fd = fd, .kind = (uint8_t)kind, .tid = tid };
		if (ioctl(fd, PERF_EVENT_IOC_ID, &rings->events[rings->nr_events - 1].number)) {
			result = -errno;
		} else if (!ring->header) {
			ring->fd = fd;
			result = map_ring(ring);
		} else if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd)) {
			result = -errno;
		}
	}
	return result;
}

static void events_close(struct perf_rings *rings, size_t from)
{
	while (rings->nr_events > from)
		close(rings->events[--rings->nr_events].fd);
}

/* The first thread, on each CPU that is there. What the kernel refuses is asked for with less. */
static int rings_make(struct perf_rings *rings, const struct perf_request *request, uint32_t tid, struct abilities *can)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	rings->rings = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof *rings->rings);
	if (!rings->rings)
		return -ENOMEM;
	for (int cpu = 0; cpu < cpus;) {
		struct perf_ring ring = { .cpu = cpu };
		size_t before = rings->nr_events;
		int result = events_open(rings, request, tid, &ring, *can);

		if (!result) {
			rings->rings[rings->nr++] = ring;
			cpu++;
			continue;
		}
		events_close(rings, before);
		if (ring.header)
			munmap(ring.header, page_bytes() + ring.bytes);
		if (result == -ENODEV || result == -ENXIO || (result == -EINVAL && rings->nr)) /* not on-line */
			cpu++;
		else if (!rings->nr && can->kernel && (result == -EACCES || result == -EPERM)) /* without the right for that */
			can->kernel = false;
		else if (!rings->nr && can->counts_lost && result == -EINVAL) /* an older kernel */
			can->counts_lost = false;
		else
			return result;
	}
	return rings->nr ? 0 : -ENODEV;
}

/* The first whose tid is not below. */
static size_t owner_place(const struct perf_rings *rings, uint32_t tid)
{
	size_t low = 0, high = rings->nr_owners;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rings->owners[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct perf_owner *find_owner(const struct perf_rings *rings, uint32_t tid)
{
	size_t place = owner_place(rings, tid);

	return place < rings->nr_owners && rings->owners[place].tid == tid ? &rings->owners[place] : NULL;
}

static bool owner_set(struct perf_rings *rings, struct perf_owner owner)
{
	size_t place = owner_place(rings, owner.tid);
	struct perf_owner *known = find_owner(rings, owner.tid);

	if (!known) {
		if (!vec_reserve(&rings->owners, &rings->owners_capacity, rings->nr_owners + 1, sizeof owner))
			return false;
		known = rings->owners + place;
		memmove(known + 1, known, (rings->nr_owners++ - place) * sizeof owner);
	}
	*known = owner;
	return true;
}

static int thread_add(struct perf_rings *rings, const struct perf_request *request, uint32_t tid, struct abilities can)
{
	size_t before = rings->nr_events;
	int result = 0;

	for (size_t i = 0; !result && i < rings->nr; i++)
		result = events_open(rings, request, tid, &rings->rings[i], can);
	if (!result && !owner_set(rings, (struct perf_owner){ tid, tid, record_clock_ns(CLOCK_MONOTONIC) }))
		result = -ENOMEM;
	if (result)
		events_close(rings, before);
	return result == -ESRCH ? 0 : result; /* it has ended meanwhile */
}

/* Those of a running process that have none yet. *added: how many there were. */
static int threads_add(struct perf_rings *rings, const struct perf_request *request, struct abilities can, size_t *added)
{
	char path[32];
	struct dirent *entry;
	int result = 0;

	*added = 0;
	snprintf(path, sizeof path, "/proc/%u/task", request->pid);
	DIR *folder = opendir(path);

	if (!folder)
		return -errno;
	while (!result && (entry = readdir(folder))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!tid || find_owner(rings, tid))
			continue;
		result = thread_add(rings, request, tid, can);
		++*added;
	}
	closedir(folder);
	return result;
}

/*
 * All threads, again and again until there is none that was made meanwhile. A program that makes threads all the time would never let us go: after some rounds
 * all that is new was made by threads whose events had long been open, so that it inherited all.
 */
static int threads_add_all(struct perf_rings *rings, const struct perf_request *request, struct abilities can)
{
	size_t added = 1;
	int result = 0;

	if (!owner_set(rings, (struct perf_owner){ request->pid, request->pid, record_clock_ns(CLOCK_MONOTONIC) }))
		return -ENOMEM;
	for (int round = 0; !result && added && round < ROUNDS_MAX; round++)
		result = threads_add(rings, request, can, &added);
	return result;
}

/* Each thread takes a descriptor for each CPU and kind. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct cprof_error *refusal(int error)
{
	if (error == -EACCES || error == -EPERM)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "perf events are not allowed, either: sysctl kernel.perf_event_paranoid=2 allows a program's own");
	if (error == -ESRCH)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "there is no such process");
	return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "the kernel gave no perf events, either: %s", strerror(-error));
}

struct cprof_error *perf_rings_open(const struct perf_request *request, struct perf_rings *ret)
{
	struct perf_rings rings = { .rings = NULL };
	struct abilities can = { true, true };
	int result;

	raise_descriptor_limit(); /* our own: a child that waits was made before */
	result = rings_make(&rings, request, request->pid, &can);
	rings.kernel = can.kernel;
	rings.counts_lost = can.counts_lost;
	if (!result && request->running)
		result = threads_add_all(&rings, request, can);
	if (result) {
		perf_rings_close(&rings);
		return refusal(result);
	}
	*ret = rings;
	return NULL;
}

void perf_rings_close(struct perf_rings *rings)
{
	for (size_t i = 0; i < rings->nr_news; i++)
		free(rings->news[i].mapping);
	for (size_t i = 0; i < rings->nr; i++)
		munmap(rings->rings[i].header, page_bytes() + rings->rings[i].bytes);
	events_close(rings, 0);
	free(rings->rings);
	free(rings->events);
	free(rings->owners);
	free(rings->news);
	free(rings->frames);
	*rings = (struct perf_rings){ .rings = NULL };
}

static uint64_t read_lost(int fd)
{
	uint64_t values[2] = { 0, 0 }; /* count, lost */

	return read(fd, values, sizeof values) == sizeof values ? values[1] : 0;
}

void perf_rings_stop(struct perf_rings *rings)
{
	uint64_t *lost[NR_EVENTS] = { [EVENT_NOTES] = &rings->lost_notes, [EVENT_SAMPLES] = &rings->lost_samples, [EVENT_FAULTS] = &rings->lost_faults };

	for (size_t i = 0; i < rings->nr_events; i++) {
		ioctl(rings->events[i].fd, PERF_EVENT_IOC_DISABLE, 0);
		if (rings->counts_lost)
			*lost[rings->events[i].kind] += read_lost(rings->events[i].fd);
	}
}

/* --- giving --- */

static int compare_news(const void *left, const void *right)
{
	const struct perf_news *a = left, *b = right;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* News that stay keep their frames, alone. */
static struct cprof_error *frames_keep(struct perf_rings *rings)
{
	uint64_t *kept = NULL;
	size_t nr = 0, capacity = 0;

	for (size_t i = 0; i < rings->nr_news; i++) {
		struct perf_news *news = &rings->news[i];
		size_t own = (size_t)news->nr_kernel + news->nr_user;

		if (!own)
			continue;
		if (!vec_reserve(&kept, &capacity, nr + own, sizeof *kept)) {
			free(kept);
			return &cprof_enomem;
		}
		memcpy(kept + nr, rings->frames + news->frames_at, own * sizeof *kept);
		news->frames_at = nr;
		nr += own;
	}
	free(rings->frames);
	rings->frames = kept;
	rings->nr_frames = nr;
	rings->frames_capacity = capacity;
	return NULL;
}

static uint32_t event_owner(const struct perf_rings *rings, uint64_t number)
{
	size_t low = 0, high = rings->nr_events;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rings->events[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rings->nr_events && rings->events[low].number == number ? rings->events[low].tid : 0;
}

/* Is it said by the events from which this thread's news are taken? Births are handed down to: the child's are taken from the same. */
static bool is_ours(struct perf_rings *rings, const struct perf_news *news)
{
	const struct perf_owner *by = find_owner(rings, news->by), *child;
	uint32_t owner;

	if (!rings->nr_owners)
		return true;
	owner = event_owner(rings, news->event);
	if (by && (by->owner != owner || news->time_ns < by->since_ns))
		return false;
	if (news->kind == PERF_FORKED || news->kind == PERF_EXECUTED) {
		child = find_owner(rings, news->tid);
		if (!child || child->since_ns <= news->time_ns) /* else it has events of its own by now */
			owner_set(rings, (struct perf_owner){ news->tid, owner, news->time_ns }); /* no memory: what comes twice is counted by who takes it */
	} else if (by && news->kind == PERF_ENDED) {
		size_t place = owner_place(rings, news->by);

		memmove(rings->owners + place, rings->owners + place + 1, (--rings->nr_owners - place) * sizeof *rings->owners);
	}
	return true;
}

struct cprof_error *perf_rings_drain(struct perf_rings *rings, uint64_t until_ns, perf_rings_take *take, void *context)
{
	struct cprof_error *error = NULL;
	size_t given = 0;

	for (size_t i = 0; !error && i < rings->nr; i++)
		error = ring_read(rings, &rings->rings[i]);
	if (!rings->nr_news)
		return error;
	qsort(rings->news, rings->nr_news, sizeof *rings->news, compare_news);
	for (; given < rings->nr_news && rings->news[given].time_ns < until_ns; given++) {
		if (is_ours(rings, &rings->news[given]))
			take(context, &rings->news[given], rings->frames + rings->news[given].frames_at);
		free(rings->news[given].mapping);
	}
	rings->nr_news -= given;
	memmove(rings->news, rings->news + given, rings->nr_news * sizeof *rings->news);
	return error ? error : frames_keep(rings);
}
