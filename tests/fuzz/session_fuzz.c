/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a trace and the kernel half beside it through the whole model: the join, the tree, single calls, why, the timeline.
 *
 * Input: u32 length of the trace, the trace, the rest is its .bpf.lz4. Built with CPROF_FUZZ_NO_CHECKSUMS. The files are written to /dev/shm.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call_causes.h"
#include "profile.h"
#include "session.h"
#include "session_names.h"
#include "symbolizer.h"
#include "timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/cprof_fuzz.XXXXXX";
static char events_path[64], kernel_path[64];

static void remove_files(void)
{
	unlink(events_path);
	unlink(kernel_path);
	rmdir(folder);
}

static void make_folder(void)
{
	if (events_path[0])
		return;
	if (!mkdtemp(folder))
		abort();
	snprintf(events_path, sizeof events_path, "%s/t.lz4", folder);
	snprintf(kernel_path, sizeof kernel_path, "%s/t.bpf.lz4", folder);
	atexit(remove_files);
}

static void put_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
}

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
	const char *path = events_path;
	struct symbolizer *symbolizer = NULL;
	struct session *session;
	uint32_t trace_bytes;

	if (size < sizeof trace_bytes)
		return 0;
	memcpy(&trace_bytes, data, sizeof trace_bytes);
	data += sizeof trace_bytes;
	size -= sizeof trace_bytes;
	if (trace_bytes > size)
		trace_bytes = (uint32_t)size;
	make_folder();
	put_file(events_path, data, trace_bytes);
	put_file(kernel_path, data + trace_bytes, size - trace_bytes);

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
