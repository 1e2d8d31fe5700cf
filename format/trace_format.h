/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between everything that writes a cprof trace and everything that reads one: constants and record layouts.
 *
 * docs/trace-format.md is normative and explains each of them (section numbers below are its sections); this header is its
 * transcription. It must depend on <stdint.h> alone and hold no code: writers and readers share bytes, not functions.
 * All integers are little-endian. Every struct is naturally aligned and has no hidden padding (checked by trace_format_test.c).
 */
#ifndef CPROF_TRACE_FORMAT_H
#define CPROF_TRACE_FORMAT_H

#include <stdint.h>

#define CPROF_FORMAT_VERSION 1u

/* 2. Container: a chunk is one LZ4 frame whose first block is the 64-byte chunk header, stored uncompressed. */
#define CPROF_LZ4_FRAME_MAGIC 0x184D2204u
#define CPROF_CHUNK_MAGIC     0x4B4E4843u /* "CHNK" */
#define CPROF_INDEX_MAGIC     0x184D2A5Cu /* an LZ4 skippable frame */
#define CPROF_INDEX_TAG       0x58495043u /* "CPIX", first and last word of the index payload */

/* Offset in the file, from the start of the frame, of the chunk header: magic 4, FLG 1, BD 1, content size 8, HC 1, block size 4. */
#define CPROF_CHUNK_HEADER_OFFSET 19u
#define CPROF_LZ4_FLG 0x7Cu /* version 01, independent blocks, block checksums, content size, content checksum */
#define CPROF_LZ4_BD  0x70u /* blocks of at most 4 MB */
#define CPROF_CHUNK_MAX_PAYLOAD (4u << 20) /* so that a payload is at most one LZ4 block */

/* One list for the enum, the names that `dump` prints and the documentation's table. */
#define CPROF_CHUNK_KINDS(X) \
	X(META, 1, "who wrote this trace, when and how") \
	X(CLOCK, 2, "TSC and CLOCK_MONOTONIC read together") \
	X(MODULES, 3, "loaded objects") \
	X(THREADS, 4, "threads and their counters") \
	X(CONTEXTS, 5, "the calling-context tree") \
	X(EVENTS, 6, "enters and exits of one thread") \
	X(SCHED, 7, "how the recorded threads were followed by cprof-record") \
	X(LABELS, 8, "reserved") \
	X(COUNTERS, 9, "reserved") \
	X(SUMMARY, 10, "reserved") \
	X(ALLOC, 11, "allocations by context") \
	X(LOSS, 16, "what was not recorded, by reason") \
	X(END, 17, "the writer ended cleanly") \
	X(KERNEL_PROCESSES, 32, "kernel half: processes") \
	X(KERNEL_THREADS, 33, "kernel half: threads and their time") \
	X(KERNEL_SAMPLES, 34, "kernel half: CPU samples") \
	X(KERNEL_STACKS, 35, "kernel half: stacks") \
	X(KERNEL_OFF_CPU, 36, "kernel half: long intervals off the CPU") \
	X(KERNEL_SUMS, 37, "kernel half: sums of a window") \
	X(KERNEL_IO, 38, "kernel half: slow file system calls") \
	X(KERNEL_BLOCK, 39, "kernel half: requests of block devices") \
	X(KERNEL_LOCKS, 40, "kernel half: long waits for locks") \
	X(KERNEL_FILES, 41, "kernel half: names of files") \
	X(KERNEL_SYMBOLS, 42, "kernel half: names of kernel addresses") \
	X(KERNEL_SOURCES, 43, "kernel half: what was recorded") \
	X(KERNEL_LOSSES, 44, "kernel half: what was lost, counted") \
	X(KERNEL_END, 45, "kernel half: the recorder ended cleanly") \
	X(KERNEL_FAULTS, 46, "kernel half: page faults, one by one")

enum cprof_chunk_kind {
#define CPROF_X(name, number, what) CPROF_CHUNK_##name = number,
	CPROF_CHUNK_KINDS(CPROF_X)
#undef CPROF_X
};

#define CPROF_NO_THREAD 0xFFFFFFFFu

struct cprof_chunk_header { /* 2.2 */
	uint32_t magic;         /* CPROF_CHUNK_MAGIC */
	uint16_t kind;          /* enum cprof_chunk_kind */
	uint16_t version;       /* CPROF_FORMAT_VERSION of the writer */
	uint64_t payload_bytes; /* bytes that follow the header in the frame's content */
	uint32_t thread;        /* thread index, or CPROF_NO_THREAD */
	uint32_t strand;        /* 0 */
	uint64_t sequence;      /* EVENTS: counts the chunks of a thread from 0 without gaps; else 0 */
	uint64_t first_tsc;     /* ticks; EVENTS: time base of the first delta */
	uint64_t last_tsc;      /* ticks; EVENTS: time of the last event */
	uint32_t depth;         /* EVENTS: open calls before the first event */
	uint32_t context;       /* EVENTS: current context before the first event */
	uint32_t items;         /* number of records (EVENTS: of enters, exits and escapes) */
	uint32_t flags;         /* 0 */
};

enum cprof_clock_source { CPROF_CLOCK_TSC = 1, CPROF_CLOCK_CNTVCT = 2, CPROF_CLOCK_MONOTONIC_NS = 3 };
enum cprof_mode { CPROF_MODE_TRACE = 1, CPROF_MODE_PROFILE = 2, CPROF_MODE_THRESHOLD = 3, CPROF_MODE_RING = 4, CPROF_MODE_CONTEXT = 5 };

struct cprof_meta { /* 3.1; followed by NUL-terminated "key=value" strings up to the end of the payload */
	uint8_t session[16];          /* random; the same in all processes of one run */
	uint8_t boot_id[16];          /* /proc/sys/kernel/random/boot_id as bytes; 0 when unknown */
	uint64_t required_features;   /* bits a reader must know; names in "requires=" */
	uint64_t start_realtime_ns;   /* CLOCK_REALTIME at start */
	uint64_t process_start_ticks; /* field 22 of /proc/self/stat; with boot_id and pid it names a process */
	uint64_t parent_start_ticks;  /* the same of the parent when this process was forked from a traced one; else 0 */
	uint32_t pid;                 /* as the process itself sees it */
	uint32_t parent_pid;
	uint32_t generation;          /* process image: 0, then +1 with each exec that was traced */
	uint32_t clock_source;        /* enum cprof_clock_source */
	uint32_t mode;                /* enum cprof_mode */
	uint32_t flags;               /* CPROF_META_* */
};
#define CPROF_META_FORKED 1u /* this trace begins in the middle of a run: some calls were inherited from the parent */

struct cprof_clock { /* 3.2 */
	uint64_t tsc;
	uint64_t monotonic_ns;
	uint64_t realtime_ns;
	uint64_t window_ticks; /* tsc and monotonic_ns were read within so many ticks: bound of the pair's error */
};

#define CPROF_MODULE_PATH_MAX 440u
struct cprof_module { /* 3.3 */
	uint32_t id;            /* from 1; 0 means "absolute address" */
	uint32_t flags;         /* CPROF_MODULE_* */
	uint64_t bias;          /* run-time address - ELF virtual address */
	uint64_t start, end;    /* mapped range */
	uint32_t build_id_bytes;
	uint32_t path_bytes;    /* without NUL */
	uint8_t build_id[32];
	char path[CPROF_MODULE_PATH_MAX];
};
#define CPROF_MODULE_MAIN     1u /* the executable */
#define CPROF_MODULE_UNLOADED 2u
#define CPROF_MODULE_PATH_CUT 4u

struct cprof_thread { /* 3.4 */
	uint32_t index;         /* from 0, in order of the first call */
	uint32_t tid;           /* as the process sees it */
	uint64_t start_tsc;     /* first recorded call */
	uint64_t end_tsc;       /* 0 while alive */
	uint64_t lost_events;   /* sum over reasons; details in LOSS */
	uint64_t unmatched_exits;
	uint64_t repaired_calls;
	uint64_t clock_steps_back;
	uint32_t flags;         /* CPROF_THREAD_* */
	uint32_t parent;        /* thread index of the creator, CPROF_NO_THREAD when unknown */
	char name[16];
	uint64_t blocks;        /* EVENTS chunks handed over so far: what a complete trace holds of this thread */
	uint32_t kernel_tgid, kernel_tid; /* in the initial pid namespace, when followed by cprof-record; else 0 */
};
#define CPROF_THREAD_MAIN   1u
#define CPROF_THREAD_STRAND 2u /* a coroutine's stack, not a thread: 4.2 */

struct cprof_context { /* 3.5; ids count from 1 in order of the table; 0 is "outside every recorded call" */
	uint32_t parent;        /* context id, never an edge's */
	uint32_t target;        /* own id, or (folding edge) an ancestor's id: the context that is current after this call */
	uint32_t flags;         /* CPROF_CONTEXT_* */
	uint32_t function_module, site_module, hook_module; /* module ids; 0: the address is absolute */
	uint64_t function;      /* all three: ELF virtual address in the module (run-time address - bias) */
	uint64_t call_site;     /* return address of the physical frame of the function */
	uint64_t hook_return;   /* return address of the enter hook's call: its inline chain names the true call site */
};
#define CPROF_CONTEXT_DEAD     1u /* lost a race when it was made: never used by an event */
#define CPROF_CONTEXT_NO_FRAME 2u /* made by a function without frame pointer: exits matched by function alone */
#define CPROF_CONTEXT_OVERFLOW 4u /* the table was full: one context per function, below the root */

/* 4. An event in memory (live file): bits 63..32 low half of the clock, 31 exit, 30..0 id. Never 0. */
#define CPROF_EVENT_EXIT   0x80000000u
#define CPROF_EVENT_ID     0x7FFFFFFFu
#define CPROF_ESCAPE_FIRST 0x7FFFFF00u /* ids from here on are escapes: id - CPROF_ESCAPE_FIRST is the kind, tsc_low the payload */
#define CPROF_CONTEXT_LIMIT 0x7FFFFF00u

#define CPROF_ESCAPES(X) \
	X(PAD, 0, "nothing happened") \
	X(CLOCK, 1, "upper 32 bits of the clock from here on (memory only; not on disk)") \
	X(REPAIR, 2, "n calls ended without an exit: they close with the next enter or exit") \
	X(UNMATCHED, 3, "n exits that match no open call were ignored") \
	X(INHERIT, 4, "the next n enters are calls that were open in the parent at fork: timed, not counted") \
	X(SUSPEND, 5, "the strand stops running; payload: when (4.2)") \
	X(SCHED, 6, "a sum of the scheduler's up to here; its kind in bits 31..28, its value in 27..0 (4.1)") \
	X(LOST, 7, "n events were lost here; open calls are closed as repaired and the stack restarts empty") \
	X(UNTIMED, 8, "the next event's time is not its own but that of its successor") \
	X(RESUME, 9, "it runs again; payload: when")

enum cprof_escape {
#define CPROF_X(name, number, what) CPROF_ESCAPE_##name = number,
	CPROF_ESCAPES(CPROF_X)
#undef CPROF_X
};

/* 4.1. Kinds of figure in a SCHED escape. HIGH comes before another and holds the bits from 28 up of that one's value. */
#define CPROF_SCHED_FIGURES(X) \
	X(SWITCHES, 0, "times off the CPU") \
	X(FAULTS, 1, "page faults") \
	X(RUNQ, 2, "ns ready to run without a CPU") \
	X(BLOCKED, 3, "ns blocked; + enum cprof_blocked_class (slots.h)") \
	X(HIGH, 15, "upper bits of the next")
enum cprof_sched_figure {
#define CPROF_X(name, number, what) CPROF_SCHED_##name = number,
	CPROF_SCHED_FIGURES(CPROF_X)
#undef CPROF_X
};
#define CPROF_SCHED_VALUE_BITS 28u

struct cprof_sched { /* 3.8: SCHED chunk, one record: this process under cprof-record */
	uint64_t attached_ns;   /* CLOCK_MONOTONIC: its threads were registered from here */
	uint64_t heartbeat_ns;  /* the recorder was last seen alive: figures after it may be frozen */
	uint64_t stopped_ns;    /* the recorder ended then; 0: not before the process */
	uint32_t threads;       /* registered */
	uint32_t threads_without_slot;
	uint32_t kernel_tgid;   /* key of the kernel half's records */
	uint32_t reserved;
};

/* 5. EVENTS payload on disk: this header, then closed_bytes, ids_bytes and times_bytes bytes of columns. */
struct cprof_events_header {
	uint32_t closed_items;  /* calls open before this chunk that it closes */
	uint32_t closed_bytes;
	uint32_t ids_bytes;
	uint32_t times_bytes;
};
#define CPROF_CLOSED_MOST 65536u /* entries of the closed column; of more, readers know only if they come from the chunk before */
/* Values of the id column (unsigned LEB128). */
#define CPROF_ID_EXIT          0u /* exit to the context below on the stack */
#define CPROF_ID_EXIT_EXPLICIT 1u /* exit; the context returned to follows as LEB128: it differs from the stack's */
#define CPROF_ID_ESCAPE        2u /* escape; kind and payload follow, each LEB128; no entry in the time column */
#define CPROF_ID_ENTER_BASE    2u /* enter of id: id + 2 */

struct cprof_loss { /* 3.6 */
	uint32_t thread;        /* or CPROF_NO_THREAD */
	uint32_t reason;        /* enum cprof_loss_reason */
	uint64_t events;
	uint64_t first_tsc, last_tsc; /* the hole; 0 when unknown */
};
#define CPROF_LOSS_REASONS(X) \
	X(BUFFER_FULL, 1, "no free buffer") \
	X(DISK_FULL, 2, "the trace could not be written") \
	X(NO_MEMORY, 3, "no memory for buffers") \
	X(THREAD_LIMIT, 4, "too many threads at once") \
	X(CONTEXT_LIMIT, 5, "context table full: paths folded to functions, no call lost") \
	X(ALLOC_UNTRACKED, 6, "allocations that could not be followed: not in ALLOC, no call lost")
enum cprof_loss_reason {
#define CPROF_X(name, number, what) CPROF_LOSS_##name = number,
	CPROF_LOSS_REASONS(CPROF_X)
#undef CPROF_X
};

struct cprof_end { /* 3.7 */
	uint64_t end_tsc;
	uint64_t events;        /* enters and exits in all EVENTS chunks */
	uint64_t chunks;        /* EVENTS chunks */
	uint64_t contexts;      /* ids are below it; 0 and dead ones included */
	uint32_t threads;
	uint32_t reason;        /* enum cprof_end_reason */
};
enum cprof_end_reason { CPROF_END_EXIT = 1, CPROF_END_RECOVERED = 2, CPROF_END_FAILED = 3 };

struct cprof_index_entry { /* 2.4 */
	uint64_t offset;        /* of the chunk's frame in the file */
	uint64_t frame_bytes;
	uint64_t first_tsc, last_tsc;
	uint64_t sequence;
	uint32_t thread;
	uint16_t kind;
	uint16_t reserved;
};
/* Index payload: tag u32, version u32, count u64, entries, xxh32 of all before u32, payload length u32, tag u32 again: readable backwards. */
struct cprof_index_head { uint32_t tag, version; uint64_t count; };
struct cprof_index_tail { uint32_t xxh32, payload_bytes, tag; };

/* 6. The live file: what a killed process leaves beside its trace. */
#define CPROF_LIVE_MAGIC 0x3145564946525043ull /* "CPRFIVE1" */
#define CPROF_LIVE_HEADER_BYTES 65536u
#define CPROF_LIVE_META_BYTES 8192u
#define CPROF_LIVE_EXTENTS 1024u

enum cprof_extent_kind { CPROF_EXTENT_CONTEXTS = 1, CPROF_EXTENT_MODULES = 2, CPROF_EXTENT_THREADS = 3, CPROF_EXTENT_BLOCKS = 4, CPROF_EXTENT_ALLOC = 5 };

struct cprof_extent { /* written once, kind last */
	uint32_t kind;          /* 0: not in use yet */
	uint32_t item_bytes;    /* bytes of one record (BLOCKS: of one block, header included) */
	uint64_t first;         /* number of the first record in it (tables); BLOCKS: 0 */
	uint64_t offset;        /* in the file */
	uint64_t bytes;
};

struct cprof_live_header {
	uint64_t magic;
	uint32_t version;       /* CPROF_FORMAT_VERSION */
	uint32_t header_bytes;  /* CPROF_LIVE_HEADER_BYTES */
	uint32_t contexts;      /* records that may be read, that of id 0 (all zero) included */
	uint32_t modules;
	uint32_t threads;
	uint32_t meta_bytes;    /* of meta[] */
	uint64_t table_losses;  /* calls folded by CPROF_LOSS_CONTEXT_LIMIT */
	uint64_t trace_bytes;   /* the trace file's valid length as far as its writer knows */
	uint64_t reserved[2];
	struct cprof_clock first_clock, last_clock;
	uint8_t meta[CPROF_LIVE_META_BYTES]; /* payload of the META chunk */
	struct cprof_extent extents[CPROF_LIVE_EXTENTS];
};

enum cprof_block_state { CPROF_BLOCK_FREE = 0, CPROF_BLOCK_OWNED = 1, CPROF_BLOCK_FULL = 2, CPROF_BLOCK_DRAINING = 3, CPROF_BLOCK_RETIRED = 4 };

struct cprof_block_header { /* followed by events up to the block's end; those not written yet are 0 */
	uint32_t state;         /* enum cprof_block_state */
	uint32_t thread;
	uint32_t strand;
	uint32_t tsc_high;      /* upper half of the clock before the first event */
	uint64_t sequence;      /* EVENTS chunk it will become */
	uint32_t depth;         /* open calls before the first event */
	uint32_t context;       /* current context before the first event */
	uint32_t capacity;      /* events */
	uint32_t reserved[7];
};

#endif
