/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a trace and the kernel half beside it through the whole model: the join, the tree, single calls, why, the timeline.
 *
 * Input: u32 length of the trace, the trace, the rest is its .bpf.lz4. Built with CPROF_FUZZ_NO_CHECKSUMS. The files are written to /dev/shm.
 */
#include "call_causes.h"
#include "fuzz_files.h"
#include "profile.h"
#include "session.h"
#include "session_names.h"
#include "symbolizer.h"
#include "timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touched; /* so that nothing is left out by the compiler */

/* Every node, without recursion; each must lead back to the root. */
static void walk(const struct call_node *root)
{
	const struct call_node *node = root;

	while (node) {
		touched += node->numbers.total_ticks + strlen(node->name);
		if (node->first_child) {
			if (node->first_child->parent != node)
				abort();
			node = node->first_child;
			continue;
		}
		while (node && !node->next_sibling)
			node = node == root ? NULL : node->parent;
		node = node && node != root ? node->next_sibling : NULL;
	}
}

static void profile_once(struct session *session, struct symbolizer *symbolizer, const struct profile_options *options)
{
	struct profile *profile;
	struct cprof_error *error = profile_create(session, symbolizer, options, &profile);

	if (!error) {
		walk(profile->root);
		profile_destroy(profile);
	}
	cprof_error_free(error);
}

static void single_calls(struct session *session, struct symbolizer *symbolizer)
{
	const struct timeline_options options = { .max_threads = 4, .max_rows = 8, .max_items = 256 };
	struct session_names *names;
	struct timeline *timeline;
	struct call_causes *causes;
	bool wanted[64];
	struct cprof_error *error = session_names_create(session, symbolizer, &names);

	if (error) {
		cprof_error_free(error);
		return;
	}
	memset(wanted, true, sizeof wanted);
	error = timeline_create(session, names, &options, &timeline);
	if (!error)
		timeline_destroy(timeline);
	cprof_error_free(error);
	if (names->registry.nr_functions <= sizeof wanted) {
		error = call_causes_create(session, names, wanted, &(struct cause_choice){ NULL, 0, 0 }, &causes);
		if (!error)
			call_causes_destroy(causes);
		cprof_error_free(error);
	}
	session_names_destroy(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *path, *kernel_path;
	struct symbolizer *symbolizer = NULL;
	struct session *session;
	const uint8_t *kernel;
	uint32_t trace_bytes;
	size_t kernel_bytes;

	if (!fuzz_split(data, size, &kernel, &trace_bytes, &kernel_bytes))
		return 0;
	if (!path) {
		path = fuzz_path("t.lz4");
		kernel_path = fuzz_path("t.bpf.lz4");
	}
	fuzz_put_file(path, kernel - trace_bytes, trace_bytes);
	fuzz_put_file(kernel_path, kernel, kernel_bytes);

	struct cprof_error *error = session_open(&path, 1, &session);

	if (error) {
		cprof_error_free(error);
		return 0;
	}
	error = symbolizer_create(&(struct symbolizer_options){ .mangled = false }, &symbolizer);
	if (!error)
		error = session_add_modules(session, symbolizer);
	if (!error) {
		profile_once(session, symbolizer, &(struct profile_options){ .unroll = false });
		profile_once(session, symbolizer, &(struct profile_options){ .unroll = true, .by_thread = true, .from_ticks = 50, .to_ticks = UINT64_MAX / 2 });
		single_calls(session, symbolizer);
	}
	cprof_error_free(error);
	symbolizer_destroy(symbolizer);
	session_destroy(session);
	return 0;
}
