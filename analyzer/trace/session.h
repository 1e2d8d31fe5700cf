/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session: the opened traces of one run, each with its tables and an iterator over the event chunks of each thread.
 *
 * The only way in which the rest of the analyzer sees trace files. Everything handed out has been validated: record sizes, ids and parents in
 * range (parent < id, target <= id, neither an edge), columns inside their payload. What is *in* the columns is not: decoders check it. A record that
 * is missing or invalid has parent 0 and names nothing; a module id may be missing from the modules. One thread only.
 */
#ifndef CPROF_SESSION_H
#define CPROF_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "kernel_format.h"
#include "trace_format.h"

struct session;
struct trace;  /* one process image: a trace file and, where the process did not end cleanly, its live file */
struct kernel_file; /* kernel_file.h: what the kernel saw of the run */

struct trace_meta { /* strings are borrowed from the trace; never NULL, "" when unknown */
	struct cprof_meta fixed;
	const char *exe, *command_line, *working_directory, *writer;
};

struct trace_tables {
	const struct cprof_module *modules;   /* sorted by id */
	size_t nr_modules;
	const struct cprof_context *contexts; /* contexts[id]; [0] is all zero */
	size_t nr_contexts;                   /* ids are below this */
	const struct cprof_thread *threads;   /* threads[index]; one for every thread that has events */
	size_t nr_threads;
	const struct cprof_clock *clocks;     /* in order of tsc */
	size_t nr_clocks;
	const struct cprof_loss *losses;
	size_t nr_losses;
	const struct cprof_alloc *allocs;     /* one per context that allocated; ids are not checked */
	size_t nr_allocs;
	const struct cprof_sched *sched;      /* NULL: not under cprof-record, or it was not said */
};

struct trace_state {
	bool clean;            /* END is there and nothing is missing */
	bool active;           /* its writer still runs */
	bool live_used;        /* read together with its live file */
	uint64_t file_bytes;   /* trace and live file as read */
	uint64_t damaged_bytes; /* skipped because no valid chunk was there, a cut last frame included */
	uint64_t end_tsc;      /* from END, else the last event's */
	uint64_t nr_problems;
	const char *const *problems; /* one line each, for people: "offset 0x1f40: checksum of a chunk does not match; 4,120 bytes skipped" */
};

/* A validated view of an EVENTS chunk (or of a live block turned into one); valid until the cursor moves on. */
struct events_chunk {
	struct cprof_chunk_header header;
	const uint8_t *closed, *ids, *times;  /* columns of docs/trace-format.md section 5 */
	size_t closed_bytes, ids_bytes, times_bytes;
	uint32_t closed_items;
	bool hole_before;                     /* the chunk of this thread before it is missing or damaged */
};

struct trace_cursor; /* event chunks of one thread in order of sequence */

struct cprof_error *session_open(const char *const *paths, size_t nr_paths, struct session **ret) CPROF_MUST_CHECK;
void session_destroy(struct session *session);
size_t session_nr_traces(const struct session *session);
struct trace *session_trace(const struct session *session, size_t index);

/*
 * Kernel files, each once, opened beside the traces they belong to (trace.lz4: trace.bpf.lz4; one of a forked child, trace.17.lz4: that of its parent) if
 * their session is the trace's, or named as an operand themselves. A session of kernel files alone has one trace, which is empty.
 */
size_t session_nr_kernels(const struct session *session);
struct kernel_file *session_kernel(const struct session *session, size_t index);
struct trace_kernel { /* where a trace's process is in the kernel half */
	struct kernel_file *file; /* NULL: nothing is known of it */
	uint32_t tgid, generation;
	uint64_t end_ns;          /* recorded without BPF: when the process began its next image there, CLOCK_MONOTONIC; else UINT64_MAX */
};
struct trace_kernel session_trace_kernel(const struct session *session, size_t index);

/*
 * Whether the trace ends because its process went on as another program (exec), which leaves no END: another trace of the process begins after its last
 * event, or the kernel half has a later image of it. False also when neither was read.
 */
bool session_trace_went_on(const struct session *session, size_t index);
/* Of its traces; several images of one process are one. */
size_t session_nr_processes(const struct session *session);

const char *trace_path(const struct trace *trace);
const struct trace_meta *trace_meta(const struct trace *trace);
const struct trace_tables *trace_tables(const struct trace *trace);
const struct trace_state *trace_state(const struct trace *trace);
/* How many chunks its file has: the writes that made it, but for a few. */
size_t trace_nr_chunks(const struct trace *trace);
/* Time of a thread's last event, as its last chunk says without being read; 0: it has none. */
uint64_t trace_thread_last_tsc(const struct trace *trace, uint32_t thread);
/* Ticks to ns between two points of the trace's clock; 0 Hz when the rate is unknown. */
double trace_clock_hz(const struct trace *trace);
/* A time of CLOCK_MONOTONIC in ticks, by the clock pairs around it (trace_clock.c); 0 when the clock cannot say. */
uint64_t trace_ticks_at(const struct trace *trace, uint64_t monotonic_ns);

struct cprof_error *trace_cursor_create(struct trace *trace, uint32_t thread, struct trace_cursor **ret) CPROF_MUST_CHECK;
void trace_cursor_destroy(struct trace_cursor *cursor);
/* Chunks as they are in the file: without what the kernel half adds to them (timed_switches.h). Before the first. */
void trace_cursor_plain(struct trace_cursor *cursor);
/* *end is set, and *ret untouched, after the last one. A damaged chunk is skipped: trace_state() then says so, and the next has hole_before. */
struct cprof_error *trace_cursor_next(struct trace_cursor *cursor, struct events_chunk *ret, bool *end) CPROF_MUST_CHECK;

#endif
