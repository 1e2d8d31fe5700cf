/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc_sums.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>

#include "alloc_interface.h"
#include "alloc_life.h"
#include "alloc_pool.h"
#include "rt_sys.h"

struct alloc_peaks alloc_peaks;
struct alloc_state alloc_state;
__thread struct alloc_tls alloc_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

static struct alloc_shard *shards[ALLOC_SHARDS_MAX];
static uint32_t shards_used;
static struct alloc_cell **cells[ALLOC_CHUNKS]; /* by context; chunks of pointers from the pool */
static uint32_t chunks_used;                    /* cells of chunks from here on are all NULL, but for the pending context's */
static uint32_t pending_is;                     /* the context that ALLOC_CONTEXT_PENDING turned out to be */
static uint64_t untracked;
static pthread_key_t end_key;
static uint32_t end_key_made;

void alloc_sums_untracked(void)
{
	__atomic_fetch_add(&untracked, 1, __ATOMIC_RELAXED);
}

/* --- threads ---------------------------------------------------------------------------------------------------------------- */

/* Like libcprof's own key: other keys' destructors, which free things, go first. What is freed after the last round attaches the thread anew. */
static void end_of_thread(void *value)
{
	uintptr_t round = (uintptr_t)value;
	struct alloc_shard *shard = alloc_tls.shard;

	if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(end_key, (void *)(round + 1));
		return;
	}
	alloc_tls.shard = NULL;
	alloc_tls.seen = 0;
	if (shard)
		__atomic_store_n(&shard->owner, 0, __ATOMIC_RELEASE);
}

void alloc_sums_watch_threads(void)
{
	if (pthread_key_create(&end_key, end_of_thread) == 0)
		__atomic_store_n(&end_key_made, 1, __ATOMIC_RELEASE);
}

static bool shard_claim(struct alloc_shard *shard, uint32_t from, uint32_t tid)
{
	return __atomic_compare_exchange_n(&shard->owner, &from, tid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Of a thread that went without a word. */
static bool shard_reclaim(struct alloc_shard *shard, uint32_t pid, uint32_t tid)
{
	uint32_t owner = __atomic_load_n(&shard->owner, __ATOMIC_RELAXED);

	return owner && rt_sys(SYS_tgkill, pid, owner, 0) == -ESRCH && shard_claim(shard, owner, tid);
}

static struct alloc_shard *shard_take(void)
{
	uint32_t tid = (uint32_t)rt_sys(SYS_gettid), pid = (uint32_t)rt_sys(SYS_getpid);
	uint32_t used = __atomic_load_n(&shards_used, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < used; i++) {
		struct alloc_shard *shard = __atomic_load_n(&shards[i], __ATOMIC_ACQUIRE);

		if (shard && !__atomic_load_n(&shard->owner, __ATOMIC_RELAXED) && shard_claim(shard, 0, tid))
			return shard;
	}
	/* Asking for each is a system call: only when their number would pass a power of two. */
	for (uint32_t i = 0; used >= 16 && !(used & (used - 1)) && i < used; i++)
		if (shards[i] && shard_reclaim(shards[i], pid, tid))
			return shards[i];
	while (used < ALLOC_SHARDS_MAX) {
		if (!__atomic_compare_exchange_n(&shards_used, &used, used + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			continue;
		struct alloc_shard *shard = alloc_pool_reserve(sizeof *shard);

		if (shard) {
			shard->owner = tid;
			shard->moved = alloc_state.generation; /* its rows lie where they should from the start */
		}
		__atomic_store_n(&shards[used], shard, __ATOMIC_RELEASE);
		return shard;
	}
	return NULL;
}

/* --- seats ------------------------------------------------------------------------------------------------------------------ */

static struct alloc_cell **cell_place(uint32_t context)
{
	struct alloc_cell ***chunk = &cells[context >> ALLOC_CHUNK_BITS], **made, **none = NULL;

	if (!__atomic_load_n(chunk, __ATOMIC_ACQUIRE)) {
		made = alloc_pool_take(sizeof(struct alloc_cell *) << ALLOC_CHUNK_BITS);
		if (!made)
			return NULL;
		__atomic_compare_exchange_n(chunk, &none, made, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED); /* a loser's is lost */
	}
	uint32_t used = __atomic_load_n(&chunks_used, __ATOMIC_RELAXED), wanted = (context >> ALLOC_CHUNK_BITS) + 1;
	while (context != ALLOC_CONTEXT_PENDING && used < wanted &&
	       !__atomic_compare_exchange_n(&chunks_used, &used, wanted, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return &__atomic_load_n(chunk, __ATOMIC_ACQUIRE)[context & ((1u << ALLOC_CHUNK_BITS) - 1)];
}

static struct alloc_cell *cell_get(uint32_t context)
{
	struct alloc_cell **place = cell_place(context), *made, *none = NULL;

	if (!place)
		return NULL;
	if (!__atomic_load_n(place, __ATOMIC_ACQUIRE)) {
		made = alloc_pool_take(sizeof *made);
		if (!made)
			return NULL;
		__atomic_compare_exchange_n(place, &none, made, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
	return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

static struct cprof_alloc_row *row_make(uint32_t context)
{
	struct cprof_alloc_row *row = alloc_life_row_take(context);

	if (!row)
		row = alloc_pool_take(sizeof *row);
	if (row)
		row->context = context;
	return row;
}

static struct alloc_seat *seat_place(struct alloc_shard *shard, uint32_t context)
{
	struct alloc_seat **chunk = &shard->seats[context >> ALLOC_CHUNK_BITS];

	if (!*chunk)
		*chunk = alloc_pool_take(sizeof(struct alloc_seat) << ALLOC_CHUNK_BITS);
	return *chunk ? &(*chunk)[context & ((1u << ALLOC_CHUNK_BITS) - 1)] : NULL;
}

struct alloc_seat *alloc_sums_seat_make(struct alloc_shard *shard, uint32_t context)
{
	uint64_t mask = rt_signals_block();
	struct alloc_seat *seat = seat_place(shard, context);

	if (seat && !seat->row) {
		seat->cell = cell_get(context);
		if (seat->cell)
			seat->row = row_make(context);
		if (!seat->row)
			seat = NULL;
	}
	rt_signals_restore(mask);
	return seat;
}

static const struct alloc_seat *seat_find(const struct alloc_shard *shard, uint32_t context)
{
	const struct alloc_seat *chunk = __atomic_load_n(&shard->seats[context >> ALLOC_CHUNK_BITS], __ATOMIC_ACQUIRE);

	chunk += chunk ? context & ((1u << ALLOC_CHUNK_BITS) - 1) : 0;
	return chunk && __atomic_load_n(&chunk->row, __ATOMIC_ACQUIRE) ? chunk : NULL;
}

/* Puts a row into the live file that was made when there was none. Only the owner of the shard does it, with signals blocked. */
static void row_move(struct alloc_shard *shard, uint32_t context, uint32_t is)
{
	struct alloc_seat *seat = (struct alloc_seat *)seat_find(shard, context);
	struct cprof_alloc_row *row = seat ? alloc_life_row_take(is) : NULL;

	if (seat)
		seat->row->context = is;
	if (!row)
		return;
	*row = *seat->row;
	__atomic_store_n(&seat->row, row, __ATOMIC_RELEASE);
}

static void shard_move(struct alloc_shard *shard)
{
	if (shard->moved == alloc_state.generation || !alloc_life_is_recording())
		return;
	row_move(shard, 0, 0);
	row_move(shard, ALLOC_CONTEXT_PENDING, pending_is);
	shard->moved = alloc_state.generation;
}

/* A thread's first block of all, and again whenever alloc_state has changed. */
struct alloc_shard *alloc_sums_attach(struct alloc_tls *tls)
{
	uint32_t generation = __atomic_load_n(&alloc_state.generation, __ATOMIC_ACQUIRE);
	bool is_new = !tls->shard;

	if (!generation || !alloc_state.on) {
		tls->shard = NULL;
		tls->seen = generation;
		return NULL;
	}
	uint64_t mask = rt_signals_block();
	if (is_new)
		tls->shard = shard_take();
	else
		shard_move(tls->shard);
	tls->seen = generation; /* also without a shard: blocks are then not followed, which is counted below */
	rt_signals_restore(mask);
	if (!tls->shard) {
		tls->seen = 0;
		alloc_sums_untracked();
		return NULL;
	}
	if (is_new && __atomic_load_n(&end_key_made, __ATOMIC_ACQUIRE)) {
		int saved = errno;

		pthread_setspecific(end_key, (void *)1); /* may allocate, and comes here again: all is in place */
		errno = saved;
	}
	return tls->shard;
}

/* --- peaks of several threads ------------------------------------------------------------------------------------------------ */

static bool is_large(int64_t change)
{
	return change >= ALLOC_PEAK_QUANTUM || change <= -ALLOC_PEAK_QUANTUM;
}

static bool raise(int64_t *peak, int64_t live)
{
	int64_t old = __atomic_load_n(peak, __ATOMIC_RELAXED);

	while (live > old)
		if (__atomic_compare_exchange_n(peak, &old, live, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

void alloc_sums_change_shared(struct alloc_shard *shard, const struct alloc_seat *seat, int64_t bytes)
{
	struct cprof_alloc_row *row = seat->row;
	int64_t change = row->untold + bytes;

	if (!__atomic_load_n(&alloc_peaks.several, __ATOMIC_RELAXED))
		__atomic_store_n(&alloc_peaks.several, 1, __ATOMIC_RELAXED);
	if (is_large(change)) {
		raise(&seat->cell->peak, __atomic_add_fetch(&seat->cell->live, change, __ATOMIC_RELAXED));
		change = 0;
	}
	row->untold = (int32_t)change;

	change = shard->delta + bytes;
	if (is_large(change)) {
		if (raise(&alloc_peaks.peak, __atomic_add_fetch(&alloc_peaks.live, change, __ATOMIC_RELAXED))) {
			row->peak_number = __atomic_add_fetch(&alloc_peaks.number, 1, __ATOMIC_RELAXED);
			row->at_peak = alloc_row_live(row);
		}
		change = 0;
	}
	shard->delta = (int32_t)change;
}

/* --- the rest --------------------------------------------------------------------------------------------------------------- */

uint32_t alloc_sums_context_unknown(const struct alloc_tls *tls)
{
	return tls->forked ? ALLOC_CONTEXT_PENDING : 0;
}

void alloc_sums_failed(void)
{
	struct alloc_tls *tls = &alloc_tls;
	struct alloc_shard *shard = alloc_sums_shard(tls);
	struct alloc_seat *seat = shard ? alloc_sums_seat(shard, alloc_sums_context(tls)) : NULL;

	if (seat)
		__atomic_fetch_add(&seat->cell->failed, 1, __ATOMIC_RELAXED);
}

void alloc_sums_started(uint32_t context)
{
	uint32_t tid = (uint32_t)rt_sys(SYS_gettid);
	struct alloc_cell **pending = cell_place(ALLOC_CONTEXT_PENDING), **place = cell_place(context);

	pending_is = alloc_tls.forked ? context : 0;
	if (alloc_tls.forked && pending && place && !*place)
		*place = *pending;
	for (uint32_t i = 0; i < shards_used; i++) { /* threads that live see it by themselves */
		struct alloc_shard *shard = __atomic_load_n(&shards[i], __ATOMIC_ACQUIRE);

		if (!shard || !shard_claim(shard, 0, tid))
			continue;
		shard_move(shard);
		__atomic_store_n(&shard->owner, 0, __ATOMIC_RELEASE);
	}
}

/* Has the child allocated before it came to us, in a fork handler? It did so under its parent's context ids. */
static bool shard_is_used(const struct alloc_shard *shard)
{
	for (uint32_t i = 0; i < chunks_used; i++)
		if (shard->seats[i])
			return true;
	return false;
}

/* The kernel has wiped shards, rows and blocks; the rest is done here. */
void alloc_sums_forked(void)
{
	struct alloc_tls *tls = &alloc_tls;
	uint32_t used = 0;

	if (tls->shard && shard_is_used(tls->shard)) {
		rt_sys(SYS_madvise, tls->shard, sizeof *tls->shard, MADV_DONTNEED);
		alloc_blocks_forget();
	}
	alloc_pool_reset();
	alloc_peaks = (struct alloc_peaks){ .number = 1 };
	untracked = 0;
	pending_is = 0;
	for (uint32_t i = 0; i < chunks_used; i++)
		cells[i] = NULL;
	cells[ALLOC_CHUNKS - 1] = NULL;
	chunks_used = 0;
	while (used < shards_used && shards[used]) /* another thread of the parent's may have been about to add one */
		used++;
	shards_used = used;
	tls->forked = tls->in_call;
	tls->last = 0;
	if (tls->shard)
		tls->shard->owner = (uint32_t)rt_sys(SYS_gettid);
}

static void row_add(struct cprof_alloc *sum, const struct cprof_alloc_row *row, uint32_t peak_number)
{
	int64_t live = alloc_row_live(row);

	sum->calls += row->calls;
	sum->bytes += row->bytes;
	sum->freed_calls += row->freed_calls;
	sum->freed_bytes += row->freed_bytes;
	sum->temporary_calls += row->temporary_calls;
	sum->bytes_at_peak += (uint64_t)(row->peak_number == peak_number ? row->at_peak : live);
}

static bool context_sum(uint32_t context, struct cprof_alloc *ret)
{
	struct alloc_cell **place = cells[context >> ALLOC_CHUNK_BITS] ? cell_place(context) : NULL;
	uint32_t peak_number = alloc_peaks.number;

	if (!place || !*place)
		return false;
	*ret = (struct cprof_alloc){ .context = context, .flags = alloc_peaks.several ? CPROF_ALLOC_PEAK_ROUGH : 0 };
	for (uint32_t i = 0; i < shards_used; i++) {
		const struct alloc_shard *shard = __atomic_load_n(&shards[i], __ATOMIC_ACQUIRE);
		const struct alloc_seat *seat = shard ? seat_find(shard, context) : NULL;

		if (seat)
			row_add(ret, seat->row, peak_number);
		seat = shard && context == pending_is ? seat_find(shard, ALLOC_CONTEXT_PENDING) : NULL;
		if (seat)
			row_add(ret, seat->row, peak_number);
	}
	int64_t live = (int64_t)(ret->bytes - ret->freed_bytes), peak = (*place)->peak;
	ret->peak_bytes = (uint64_t)(peak > live ? peak : live > 0 ? live : 0);
	if ((int64_t)ret->bytes_at_peak < 0) /* rough ones alone */
		ret->bytes_at_peak = 0;
	ret->failed_calls = (*place)->failed;
	return ret->calls || ret->freed_calls || ret->failed_calls;
}

bool alloc_sums_collect(bool (*put)(const struct cprof_alloc *records, uint32_t count), uint32_t most)
{
	uint64_t bytes = (uint64_t)most * sizeof(struct cprof_alloc);
	struct cprof_alloc *records = rt_memory_reserve(bytes);
	uint32_t count = 0;
	bool ok = records != NULL;

	for (uint32_t chunk = 0; ok && chunk < chunks_used; chunk++) {
		uint32_t first = chunk << ALLOC_CHUNK_BITS;

		for (uint32_t i = 0; ok && cells[chunk] && i < 1u << ALLOC_CHUNK_BITS; i++) {
			if (first + i == ALLOC_CONTEXT_PENDING || !context_sum(first + i, &records[count]))
				continue;
			if (++count == most) {
				ok = put(records, count);
				count = 0;
			}
		}
	}
	if (ok && count)
		ok = put(records, count);
	rt_memory_release(records, bytes);
	return ok;
}

uint64_t alloc_sums_untracked_count(void)
{
	return __atomic_load_n(&untracked, __ATOMIC_RELAXED);
}
