/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each image of a process had mapped to run: as the kernel says it (perf events) when an image begins, forks and maps, so that one that ends at once is
 * known, too. One that began before anybody listened is read from /proc/PID/maps.
 *
 * What was unmapped stays: samples of it may be on their way. Knows nothing of generations and writes nothing.
 */
#ifndef CPROF_MAPPED_IMAGES_H
#define CPROF_MAPPED_IMAGES_H

#include "bytes.h"
#include "module_files.h"
#include "perf_rings.h"

enum { MAPPED_BEFORE_NS = 1 /* the start of one that began before anybody listened */ };

struct mapped_image {
	uint32_t tgid;
	uint64_t start_ns;           /* its exec, or the fork that made its process */
	struct bytes modules;        /* struct cprof_module, in the order in which they were mapped, each once */
};

struct mapped_images {
	struct mapped_image **images; /* by tgid, then start */
	size_t nr, capacity;
	struct module_files files;
	bool everyone;               /* else those of whom somebody told us, and of their children */
	bool changed;                /* there is something new; whoever has seen it clears it */
	uint64_t lost;               /* mappings that have no place or no name here */
};

void mapped_images_deinit(struct mapped_images *images);
/* News of other kinds than FORKED, EXECUTED and MAPPED are nothing to it. In order of time. */
void mapped_images_take(struct mapped_images *images, const struct perf_news *news);
/* A process's image at a time; NULL: it began before anybody listened. */
struct mapped_image *mapped_images_at(const struct mapped_images *images, uint32_t tgid, uint64_t time_ns);
/* One that is followed from here on. Nothing is known of what it has mapped. NULL: no memory. */
struct mapped_image *mapped_images_begin(struct mapped_images *images, uint32_t tgid, uint64_t start_ns);
/* Adds what it has mapped now. */
void mapped_images_read(struct mapped_images *images, struct mapped_image *image);
/* Those that a process had until then are of no use any more. */
void mapped_images_forget(struct mapped_images *images, uint32_t tgid, uint64_t until_ns);

#endif
