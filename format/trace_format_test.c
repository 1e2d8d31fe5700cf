/* SPDX-License-Identifier: BSD-2-Clause */
/* The sizes and offsets that docs/trace-format.md prints. */
#include "kernel_format.h"
#include "trace_format.h"
#include "slots.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
SIZE(cprof_chunk_header, 64);
SIZE(cprof_meta, 88);
SIZE(cprof_clock, 32);
SIZE(cprof_module, 512);
SIZE(cprof_thread, 96);
SIZE(cprof_context, 48);
SIZE(cprof_events_header, 16);
SIZE(cprof_loss, 32);
SIZE(cprof_end, 40);
SIZE(cprof_index_entry, 48);
SIZE(cprof_index_head, 16);
SIZE(cprof_index_tail, 12);
SIZE(cprof_extent, 32);
SIZE(cprof_block_header, 64);
_Static_assert(sizeof(struct cprof_live_header) <= CPROF_LIVE_HEADER_BYTES, "live header");

SIZE(cprof_sched, 40);
SIZE(cprof_slot, CPROF_SLOT_BYTES);
SIZE(cprof_slots_header, CPROF_SLOT_BYTES);
SIZE(cprof_runtime_header, 40);
SIZE(cprof_who, 16);
SIZE(cprof_kernel_process, 56);
SIZE(cprof_kernel_thread, 152);
SIZE(cprof_kernel_sample, 64);
SIZE(cprof_kernel_stack, 16);
SIZE(cprof_kernel_off_cpu, 96);
SIZE(cprof_kernel_sum_key, 48);
SIZE(cprof_kernel_sum, 208);
SIZE(cprof_kernel_io, 72);
SIZE(cprof_kernel_block, 80);
SIZE(cprof_kernel_lock, 80);
SIZE(cprof_kernel_file, 24);
SIZE(cprof_kernel_symbol, 80);
SIZE(cprof_kernel_source, 128);
SIZE(cprof_kernel_counter, 56);
SIZE(cprof_kernel_end, 56);
SIZE(cprof_alloc, 72);
SIZE(cprof_alloc_row, 64);

#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
AT(cprof_chunk_header, kind, 4);
AT(cprof_chunk_header, payload_bytes, 8);
AT(cprof_chunk_header, thread, 16);
AT(cprof_chunk_header, sequence, 24);
AT(cprof_chunk_header, first_tsc, 32);
AT(cprof_chunk_header, last_tsc, 40);
AT(cprof_chunk_header, depth, 48);
AT(cprof_chunk_header, context, 52);
AT(cprof_chunk_header, items, 56);

AT(cprof_slot, context, 8);
AT(cprof_slot, kernel_tgid, 16);
AT(cprof_slot, changes, 64);
AT(cprof_slot, blocked_ns, 80);

/* The lists are used for names: numbers must not repeat. */
static void test_chunk_kinds_are_distinct(void **state)
{
	(void)state;
#define CPROF_X(name, number, what) +1
	int listed = 0 CPROF_CHUNK_KINDS(CPROF_X);
#undef CPROF_X
	uint64_t seen = 0;
#define CPROF_X(name, number, what) seen |= 1ull << (number);
	CPROF_CHUNK_KINDS(CPROF_X)
#undef CPROF_X
	assert_int_equal(__builtin_popcountll(seen), listed);
}

static void test_no_event_is_zero(void **state)
{
	(void)state;
	uint64_t exit_to_outside = CPROF_EVENT_EXIT; /* id 0 */
	assert_true(exit_to_outside != 0);
	assert_true(CPROF_ESCAPE_FIRST + CPROF_ESCAPE_PAD != 0);
	assert_true((CPROF_ESCAPE_FIRST & CPROF_EVENT_EXIT) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunk_kinds_are_distinct),
		cmocka_unit_test(test_no_event_is_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
