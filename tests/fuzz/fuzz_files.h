/* SPDX-License-Identifier: BSD-2-Clause */
/* For fuzz targets whose subject reads files: a folder in /dev/shm that goes with the process, and inputs written into it; and for those who write the seeds. */
#ifndef CPROF_FUZZ_FILES_H
#define CPROF_FUZZ_FILES_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FUZZ_FILES_MOST = 4 };

static char fuzz_folder[] = "/dev/shm/cprof_fuzz.XXXXXX";
static char fuzz_paths[FUZZ_FILES_MOST][64];
static int fuzz_nr_paths;

static inline void fuzz_remove_files(void)
{
	for (int i = 0; i < fuzz_nr_paths; i++)
		unlink(fuzz_paths[i]);
	rmdir(fuzz_folder);
}

/* Names a file of the folder, which is made with the first; to be kept, not asked for at each input. */
static inline const char *fuzz_path(const char *name)
{
	if (fuzz_nr_paths == FUZZ_FILES_MOST)
		abort();
	if (!fuzz_nr_paths) {
		if (!mkdtemp(fuzz_folder))
			abort();
		atexit(fuzz_remove_files);
	}
	snprintf(fuzz_paths[fuzz_nr_paths], sizeof fuzz_paths[0], "%s/%s", fuzz_folder, name);
	return fuzz_paths[fuzz_nr_paths++];
}

static inline void fuzz_put_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
}

/* A seed of two files, as fuzz_split() takes them apart. NULL: of no bytes. */
static inline void fuzz_put_pair(const char *folder, const char *name, const uint8_t *first, size_t first_bytes, const uint8_t *second, size_t second_bytes)
{
	uint32_t length = (uint32_t)first_bytes;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(&length, sizeof length, 1, file) != 1 || (first_bytes && fwrite(first, 1, first_bytes, file) != first_bytes) ||
	    (second_bytes && fwrite(second, 1, second_bytes, file) != second_bytes) || fclose(file))
		abort();
}

/* Inputs of two files begin with the u32 length of the first. False: too short for that. */
static inline int fuzz_split(const uint8_t *data, size_t size, const uint8_t **second, uint32_t *first_bytes, size_t *second_bytes)
{
	if (size < sizeof *first_bytes)
		return 0;
	memcpy(first_bytes, data, sizeof *first_bytes);
	size -= sizeof *first_bytes;
	if (*first_bytes > size)
		*first_bytes = (uint32_t)size;
	*second = data + sizeof *first_bytes + *first_bytes;
	*second_bytes = size - *first_bytes;
	return 1;
}

#endif
