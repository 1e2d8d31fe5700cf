/* SPDX-License-Identifier: BSD-2-Clause */
/* See mapped_images.h. */
#include "mapped_images.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_clock.h"

enum { MODULES_MAX = 8000 /* in a chunk */ };

static void image_destroy(struct mapped_image *image)
{
	bytes_deinit(&image->modules);
	free(image);
}

void mapped_images_deinit(struct mapped_images *images)
{
	for (size_t i = 0; i < images->nr; i++)
		image_destroy(images->images[i]);
	free(images->images);
	module_files_deinit(&images->files);
	*images = (struct mapped_images){ .images = NULL };
}

/* Where one that begins then would go: behind all that began before or with it. */
static size_t image_place(const struct mapped_images *images, uint32_t tgid, uint64_t time_ns)
{
	size_t low = 0, high = images->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapped_image *image = images->images[middle];

		if (image->tgid < tgid || (image->tgid == tgid && image->start_ns <= time_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct mapped_image *mapped_images_at(const struct mapped_images *images, uint32_t tgid, uint64_t time_ns)
{
	size_t place = image_place(images, tgid, time_ns);

	return place && images->images[place - 1]->tgid == tgid ? images->images[place - 1] : NULL;
}

struct mapped_image *mapped_images_begin(struct mapped_images *images, uint32_t tgid, uint64_t start_ns)
{
	struct mapped_image *image = calloc(1, sizeof *image);
	size_t place = image_place(images, tgid, start_ns);

	if (!image || !vec_reserve(&images->images, &images->capacity, images->nr + 1, sizeof(struct mapped_image *))) {
		images->lost++;
		free(image);
		return NULL;
	}
	image->tgid = tgid;
	image->start_ns = start_ns;
	memmove(images->images + place + 1, images->images + place, (images->nr - place) * sizeof(struct mapped_image *));
	images->images[place] = image;
	images->nr++;
	images->changed = true;
	return image;
}

void mapped_images_forget(struct mapped_images *images, uint32_t tgid, uint64_t until_ns)
{
	size_t first = image_place(images, tgid, 0), end = image_place(images, tgid, until_ns);

	while (first && images->images[first - 1]->tgid == tgid) /* those of time 0 as well */
		first--;
	for (size_t i = first; i < end; i++)
		image_destroy(images->images[i]);
	memmove(images->images + first, images->images + end, (images->nr - end) * sizeof(struct mapped_image *));
	images->nr -= end - first;
}

static bool has_module(const struct mapped_image *image, const struct cprof_module *module)
{
	const struct cprof_module *modules = (const void *)image->modules.data;

	for (size_t i = image->modules.used / sizeof *modules; i-- > 0;)
		if (modules[i].start == module->start && modules[i].end == module->end && modules[i].bias == module->bias &&
		    modules[i].path_bytes == module->path_bytes && !memcmp(modules[i].path, module->path, module->path_bytes))
			return true;
	return false;
}

static void add_mapping(struct mapped_images *images, struct mapped_image *image, uint64_t time_ns, const struct perf_mapping *mapping)
{
	size_t nr = image->modules.used / sizeof(struct cprof_module);
	struct cprof_module module;

	if (!module_files_describe(&images->files, image->tgid, time_ns, mapping, &module) || has_module(image, &module))
		return;
	module.id = (uint32_t)nr + 1;
	if (!nr) /* the program itself is mapped first, and lowest */
		module.flags |= CPROF_MODULE_MAIN;
	if (nr >= MODULES_MAX || !bytes_add(&image->modules, &module, sizeof module))
		images->lost++;
	images->changed = true;
}

void mapped_images_read(struct mapped_images *images, struct mapped_image *image)
{
	char name[32], *line = NULL;
	size_t line_bytes = 0;
	ssize_t length;
	FILE *maps;

	snprintf(name, sizeof name, "/proc/%u/maps", image->tgid);
	maps = fopen(name, "re");
	while (maps && (length = getline(&line, &line_bytes, maps)) > 0) {
		struct perf_mapping *mapping;
		uint64_t start, end, offset, inode;
		int path_at = 0;
		char access[5];

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64 " %n", &start, &end, access, &offset, &inode, &path_at) != 5 ||
		    !path_at || access[2] != 'x' || line[path_at] != '/')
			continue;
		mapping = calloc(1, sizeof *mapping + strlen(line + path_at) + 1);
		if (!mapping)
			break;
		*mapping = (struct perf_mapping){ start, end, offset, inode };
		memcpy(mapping->path, line + path_at, strlen(line + path_at) + 1);
		add_mapping(images, image, record_clock_ns(CLOCK_MONOTONIC), mapping);
		free(mapping);
	}
	free(line);
	if (maps)
		fclose(maps);
}

static void fork_image(struct mapped_images *images, const struct perf_news *news)
{
	struct mapped_image *parent = mapped_images_at(images, news->parent_tgid, news->time_ns), *child;

	if (news->tgid == news->parent_tgid) /* a thread */
		return;
	if (!parent && images->everyone) {
		parent = mapped_images_begin(images, news->parent_tgid, MAPPED_BEFORE_NS);
		if (parent)
			mapped_images_read(images, parent);
	}
	child = parent ? mapped_images_begin(images, news->tgid, news->time_ns) : NULL;
	if (child && !bytes_add(&child->modules, parent->modules.data, parent->modules.used))
		images->lost++;
}

void mapped_images_take(struct mapped_images *images, const struct perf_news *news)
{
	struct mapped_image *image = mapped_images_at(images, news->tgid, news->time_ns);

	if (news->kind == PERF_FORKED) {
		fork_image(images, news);
	} else if (news->kind == PERF_EXECUTED && (image || images->everyone)) {
		mapped_images_begin(images, news->tgid, news->time_ns);
	} else if (news->kind == PERF_MAPPED && image) {
		const char *path = news->mapping->path;

		if (strcmp(path, "//enomem") == 0 || strcmp(path, "//toolong") == 0) /* the kernel's own words */
			images->lost++;
		else if (path[0] == '/' && path[1] != '/')
			add_mapping(images, image, news->time_ns, news->mapping);
	}
}
