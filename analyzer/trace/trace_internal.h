/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one opened trace is made of, for the files of this folder only.
 */
#ifndef CPROF_TRACE_INTERNAL_H
#define CPROF_TRACE_INTERNAL_H

#include "chunk_list.h"
#include "frame.h"
#include "live_file.h"
#include "problems.h"
#include "session.h"
#include "table_set.h"
#include "timed_switches.h"

struct events_place {
	uint32_t thread;
	uint32_t live;           /* index of a live block + 1; 0: a chunk of the file */
	uint64_t sequence;
	uint64_t offset, frame_bytes;
	uint64_t last_tsc;       /* as the index or the chunk's header says; of chunks only */
};

struct trace {
	struct trace_file file;
	struct chunk_list chunks;
	struct live_file live;       /* without blocks unless state.live_used */
	struct table_set set;
	struct trace_tables tables;
	struct trace_meta meta;
	uint8_t *meta_payload;       /* what meta points into, with a NUL at its end */
	size_t meta_bytes;
	struct cprof_end end;
	bool has_meta, has_end;
	bool is_empty;               /* in the place of a kernel file: see trace_make_empty() */
	struct events_place *events; /* by thread, then sequence; each sequence once */
	size_t nr_events;
	struct timed_switches switches; /* of its threads, from the kernel half */
	struct problems problems;
	struct trace_state state;
};

/* Takes nothing. The state follows the problems. */
struct cprof_error *trace_open(const char *path, struct trace **ret) CPROF_MUST_CHECK;
/* A trace without events in the place of a kernel file whose meta and state it has. They must outlive it. */
struct cprof_error *trace_make_empty(const char *path, const struct trace_meta *meta, const struct trace_state *state, struct trace **ret) CPROF_MUST_CHECK;
void trace_close(struct trace *trace);
struct cprof_error *trace_add_problem(struct trace *trace, struct problem_place place, const char *format, ...) CPROF_MUST_CHECK CPROF_PRINTF(3, 4);
/* A problem that shows while chunks are read. The trace is no longer clean. */
struct cprof_error *trace_add_damage(struct trace *trace, uint64_t offset, uint64_t bytes, const char *why) CPROF_MUST_CHECK;
/* The thread's first place in events[]; *ret_nr places. */
size_t trace_events_of(const struct trace *trace, uint32_t thread, size_t *ret_nr);

/*
 * Loads the chunk of a place in the file and checks that its columns lie in its payload. *why is NULL when it is sound. Not hole_before.
 * raw: a context that is out of range is left as it is.
 */
struct cprof_error *trace_load_events(struct trace *trace, const struct events_place *place, bool thorough, bool raw, struct frame_buffer *buffer,
				      struct events_chunk *ret, const char **why) CPROF_MUST_CHECK;

/* The report's findings, in file order. */
struct cprof_error *trace_report_take(struct trace_report *report, const struct problems *problems) CPROF_MUST_CHECK;

/* The chunk that the cursor gave last was a live block. */
bool trace_cursor_was_live(const struct trace_cursor *cursor);
uint64_t trace_cursor_offset(const struct trace_cursor *cursor); /* of that chunk in the file; CPROF_NO_OFFSET if live */
/* Content checksums too, and nothing made safe in the headers: what `check` needs. */
void trace_cursor_check_all(struct trace_cursor *cursor);

#endif
