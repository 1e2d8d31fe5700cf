/* SPDX-License-Identifier: BSD-2-Clause */
/* See process_modules.h. */
#include "process_modules.h"

#include <stdlib.h>

enum { AGAIN_NS = 200000000, LOADING_NS = 200000000 };

/* A generation of a process; what an image did before it registered has one of its own, so that two may have one image. */
struct modules_entry {
	uint32_t tgid, generation;
	uint64_t start_ns, end_ns;   /* end_ns 0: it lives */
	uint64_t after_ns;           /* its image began later: when the one began that the process had before */
	uint64_t write_ns;           /* of the last time; 0: never */
	size_t written;              /* of its image's modules */
	bool exited, doubtful;
};

void process_modules_deinit(struct process_modules *modules)
{
	free(modules->entries);
	mapped_images_deinit(&modules->images);
	*modules = (struct process_modules){ .entries = NULL };
}

static struct modules_entry *find_entry(struct process_modules *modules, uint32_t tgid, uint32_t generation)
{
	for (size_t i = 0; i < modules->count; i++)
		if (modules->entries[i].tgid == tgid && modules->entries[i].generation == generation && !modules->entries[i].end_ns)
			return &modules->entries[i];
	return NULL;
}

static uint64_t image_before(const struct process_modules *modules, const struct cprof_kernel_process *process)
{
	for (size_t i = 0; i < modules->count; i++)
		if (modules->entries[i].tgid == process->tgid && modules->entries[i].end_ns == process->start_ns)
			return modules->entries[i].start_ns;
	return 0;
}

void process_modules_expect(struct process_modules *modules, uint32_t tgid, bool runs)
{
	struct mapped_image *image = mapped_images_begin(&modules->images, tgid, runs ? MAPPED_BEFORE_NS : 0);

	if (image && runs)
		mapped_images_read(&modules->images, image);
}

void process_modules_note(struct process_modules *modules, const struct cprof_kernel_process *process)
{
	modules->pending = true;
	if (process->end_ns) {
		for (size_t i = 0; i < modules->count; i++) {
			struct modules_entry *entry = &modules->entries[i];

			if (entry->tgid != process->tgid || entry->end_ns)
				continue;
			entry->end_ns = process->end_ns;
			entry->exited = process->flags & CPROF_KERNEL_PROCESS_EXITED;
		}
		return;
	}
	if (find_entry(modules, process->tgid, process->generation))
		return;
	if (!vec_reserve(&modules->entries, &modules->capacity, modules->count + 1, sizeof *modules->entries)) {
		modules->unread++;
		return;
	}
	modules->entries[modules->count++] = (struct modules_entry){ .tgid = process->tgid, .generation = process->generation,
								     .start_ns = process->start_ns, .after_ns = image_before(modules, process) };
}

void process_modules_doubt(struct process_modules *modules)
{
	modules->pending = true;
	for (size_t i = 0; i < modules->count; i++)
		modules->entries[i].doubtful = true;
}

struct bytes process_modules_of(uint32_t tgid)
{
	struct mapped_images images = { .images = NULL };
	struct mapped_image image = { .tgid = tgid };

	mapped_images_read(&images, &image);
	mapped_images_deinit(&images);
	return image.modules;
}

static void write_entry(const struct record_observer *observer, struct modules_entry *entry, const struct mapped_image *image,
			struct kernel_writer *writer, uint64_t now_ns)
{
	const struct cprof_module *modules = (const void *)image->modules.data;
	size_t nr = image->modules.used / sizeof *modules;
	struct cprof_chunk_header header = { .kind = CPROF_CHUNK_MODULES,
					     .thread = entry->tgid,
					     .strand = entry->generation,
					     .first_tsc = now_ns,
					     .last_tsc = now_ns,
					     .items = (uint32_t)(nr - entry->written) };

	if (nr <= entry->written)
		return;
	kernel_writer_chunk(writer, &header, modules + entry->written, header.items * sizeof *modules);
	if (observer)
		observer->modules(observer->context, entry->tgid, entry->generation, modules, nr);
	entry->written = nr;
	entry->write_ns = now_ns;
}

static bool entry_ended(const struct modules_entry *entry, uint64_t known_ns)
{
	return entry->end_ns && entry->end_ns <= known_ns;
}

/* false: there may be more to do later. */
static bool look_at_entry(struct process_modules *modules, struct modules_entry *entry, struct kernel_writer *writer, uint64_t now_ns, uint64_t known_ns)
{
	struct mapped_image *image = mapped_images_at(&modules->images, entry->tgid, entry->start_ns);

	if (entry->start_ns > known_ns)
		return false;
	if (!image || image->start_ns <= entry->after_ns) { /* nobody told us */
		image = mapped_images_begin(&modules->images, entry->tgid, entry->start_ns);
		entry->doubtful = true;
	}
	if (!image)
		return true;
	if (entry->doubtful && !entry->end_ns) /* else there is nothing to read, or that of the next who has its number */
		mapped_images_read(&modules->images, image);
	entry->doubtful = modules->untold && !entry->end_ns && now_ns - entry->start_ns < LOADING_NS;
	if (entry->write_ns && now_ns - entry->write_ns < AGAIN_NS && !entry_ended(entry, known_ns) && known_ns != UINT64_MAX)
		return image->modules.used / sizeof(struct cprof_module) == entry->written && !entry->end_ns && !entry->doubtful;
	write_entry(modules->observer, entry, image, writer, now_ns);
	return !entry->end_ns && !entry->doubtful;
}

void process_modules_write(struct process_modules *modules, struct kernel_writer *writer, uint64_t now_ns, uint64_t known_ns)
{
	size_t kept = 0;

	if (!modules->pending && !modules->images.changed && known_ns != UINT64_MAX)
		return;
	modules->pending = false;
	for (size_t i = 0; i < modules->count; i++)
		modules->pending |= !look_at_entry(modules, &modules->entries[i], writer, now_ns, known_ns);
	modules->images.changed = false;
	for (size_t i = 0; i < modules->count; i++) { /* two may have had the same image */
		const struct modules_entry *entry = &modules->entries[i];

		if (!entry_ended(entry, known_ns)) {
			modules->entries[kept++] = *entry;
			continue;
		}
		modules->unread += !entry->written;
		mapped_images_forget(&modules->images, entry->tgid, entry->exited ? entry->end_ns : entry->start_ns);
	}
	modules->count = kept;
}
