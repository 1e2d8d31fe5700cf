/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses of the kernel half: user addresses by the modules that the recorder saw mapped, kernel addresses by its table of symbols.
 *
 * A frame is a function of a module; equal ones have one number. What is not known is module+offset, or "[unknown]": never the nearest name.
 */
#ifndef CPROF_KERNEL_NAMES_H
#define CPROF_KERNEL_NAMES_H

#include "kernel_file.h"
#include "module_map.h"
#include "number_map.h"
#include "text_store.h"

struct symbolizer;
struct symbol_variable;

struct kernel_frame {
	const char *name, *module; /* of the text store: equal texts are equal pointers */
	bool known, kernel;
	bool runtime;              /* of the profiler itself */
};

struct kernel_names {
	const struct session *session;
	struct symbolizer *symbolizer;
	const struct module_map *modules;
	struct text_store *store;
	struct kernel_frame *frames;
	size_t nr_frames, frames_capacity;
	struct number_map frame_of, frame_at;
};

enum kernel_address { ADDRESS_OF_CODE, ADDRESS_OF_RETURN, ADDRESS_OF_KERNEL };

struct kernel_image { /* whose address it is */
	uint32_t kernel;      /* kernel file of the session */
	uint32_t tgid, generation;
};

/* All must outlive it. */
void kernel_names_init(struct kernel_names *names, const struct session *session, struct symbolizer *symbolizer, const struct module_map *modules,
		       struct text_store *store);
void kernel_names_deinit(struct kernel_names *names);
struct cprof_error *kernel_names_frame(struct kernel_names *names, struct kernel_image image, uint64_t address, enum kernel_address kind, uint32_t *ret)
	CPROF_MUST_CHECK;
/* Whether the innermost function of a stack is the profiler's own; false: not, or not known. */
struct cprof_error *kernel_names_stack_is_own(struct kernel_names *names, struct kernel_image image, uint64_t stack, bool *ret) CPROF_MUST_CHECK;
/* The variable that lies at an address of a process, by the modules of its trace, or those that the recorder saw. */
struct cprof_error *kernel_names_variable(struct kernel_names *names, struct kernel_image image, uint32_t trace, uint64_t address, struct symbol_variable *ret)
	CPROF_MUST_CHECK;
/* The profiler's own code, as one frame. */
struct cprof_error *kernel_names_runtime(struct kernel_names *names, uint32_t *ret) CPROF_MUST_CHECK;

#endif
