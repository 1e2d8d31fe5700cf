/* SPDX-License-Identifier: BSD-2-Clause */
#include "perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "range_map.h"
#include "string_pool.h"

struct perf_map {
	const char **names_by_entry;
	size_t count, capacity;
	struct range_list ranges;
	struct range_map by_address;
	struct string_pool *names;
};

static struct cprof_error *entry_add(struct perf_map *map, uint64_t start, uint64_t size_bytes, const char *name)
{
	if (size_bytes > UINT64_MAX - start || map->count >= UINT32_MAX - 1)
		return NULL;
	if (map->count == map->capacity) {
		size_t capacity = map->capacity ? map->capacity * 2 : 64;
		const char **names = realloc(map->names_by_entry, capacity * sizeof *names);

		if (!names)
			return &cprof_enomem;
		map->names_by_entry = names;
		map->capacity = capacity;
	}
	struct cprof_error *error = string_pool_add(map->names, name, &map->names_by_entry[map->count]);
	if (error)
		return error;
	return range_list_add(&map->ranges, start, start + size_bytes, (uint32_t)map->count++);
}

static struct cprof_error *line_read(struct perf_map *map, char *line)
{
	char *end, *name;
	uint64_t start, size_bytes;

	errno = 0;
	start = strtoull(line, &end, 16);
	if (end == line || *end != ' ' || errno)
		return NULL;
	size_bytes = strtoull(end, &name, 16);
	if (name == end || *name != ' ' || errno)
		return NULL;
	name++;
	name[strcspn(name, "\r\n")] = '\0';
	return *name ? entry_add(map, start, size_bytes, name) : NULL;
}

static struct cprof_error *file_read(struct perf_map *map, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct cprof_error *error = NULL;
	struct stat status;
	char *line = NULL;
	size_t capacity = 0;

	if (fd < 0)
		return cprof_error_os(errno, path, "open");
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET, "not a regular file");
	}
	FILE *file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return &cprof_enomem;
	}
	while (!error && getline(&line, &capacity, file) >= 0)
		error = line_read(map, line);
	if (!error && ferror(file))
		error = cprof_error_os(errno, path, "read");
	free(line);
	fclose(file);
	return error;
}

struct cprof_error *perf_map_create(const char *path, struct perf_map **ret)
{
	struct perf_map *map = calloc(1, sizeof *map);

	if (!map)
		return &cprof_enomem;
	struct cprof_error *error = string_pool_create(&map->names);
	if (!error)
		error = file_read(map, path);
	if (!error)
		error = range_map_init(&map->by_address, &map->ranges);
	range_list_deinit(&map->ranges);
	if (error) {
		perf_map_destroy(map);
		return error;
	}
	*ret = map;
	return NULL;
}

void perf_map_destroy(struct perf_map *map)
{
	if (!map)
		return;
	free(map->names_by_entry);
	range_map_deinit(&map->by_address);
	string_pool_destroy(map->names);
	free(map);
}

const char *perf_map_find(const struct perf_map *map, uint64_t address)
{
	uint32_t i = range_map_find(&map->by_address, address);

	return i == RANGE_NONE ? NULL : map->names_by_entry[i];
}
