/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a libFuzzer entry point without libFuzzer, for ctest: on each file, then on COUNT mutants of each, the same ones every time.
 *
 * usage: PROGRAM COUNT FILE... If a run crashes, the mutant is in "PROGRAM.crash": it is written before each run. A run that takes longer
 * than RUN_SECONDS is ended by SIGALRM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { RUN_SECONDS = 10, FILE_BYTES_MAX = 1 << 20 };

static uint64_t random_state;

static uint64_t random_next(void) /* xorshift64 */
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Some bytes, a number that parsers stumble over, a copy of another place, or an early end. */
static size_t mutate(uint8_t *data, size_t bytes)
{
	static const uint64_t numbers[] = { 0,          1,          0x7f,       0x80,       0xff,      0x7fff,         0xffff,
					    0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff, INT64_MAX, UINT64_MAX - 1, UINT64_MAX };
	size_t changes = 1 + random_next() % 8;

	for (size_t i = 0; i < changes && bytes > 8; i++) {
		size_t at = random_next() % (bytes - 8), width = (size_t)1 << random_next() % 4;

		switch (random_next() % 8) {
		case 0:
			memcpy(data + at, &numbers[random_next() % (sizeof numbers / sizeof *numbers)], width);
			break;
		case 1:
			memmove(data + at, data + random_next() % (bytes - 8), width);
			break;
		case 2:
			if (random_next() % 16 == 0)
				bytes = at;
			break;
		case 3:
			data[at] = (uint8_t)(data[at] + (random_next() & 1 ? 1 : -1));
			break;
		default:
			data[at] ^= (uint8_t)(random_next() & 1 ? UINT64_C(1) << random_next() % 8 : random_next());
		}
	}
	return bytes;
}

static size_t file_read(const char *path, uint8_t *data)
{
	FILE *file = fopen(path, "r");
	size_t bytes = file ? fread(data, 1, FILE_BYTES_MAX, file) : 0;

	if (!file || ferror(file)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(file);
	return bytes;
}

/* Shared with the file, so that it outlives a crash. */
static uint8_t *crash_file_map(const char *program, int *fd)
{
	char path[4096];

	snprintf(path, sizeof path, "%s.crash", program);
	*fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	void *data = *fd < 0 || ftruncate(*fd, FILE_BYTES_MAX) ? MAP_FAILED
							       : mmap(NULL, FILE_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (data == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	return data;
}

int main(int argc, char **argv)
{
	static uint8_t original[FILE_BYTES_MAX];
	struct rusage usage;
	unsigned long runs = 0;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: %s COUNT FILE...\n", argv[0]);
		return 2;
	}
	uint8_t *data = crash_file_map(argv[0], &fd);
	long count = atol(argv[1]);
	for (int i = 2; i < argc; i++) {
		size_t bytes = file_read(argv[i], original);

		random_state = 0x9e3779b97f4a7c15 + (uint64_t)i;
		for (long run = 0; run <= count; run++) {
			memcpy(data, original, bytes);
			size_t mutant_bytes = run ? mutate(data, bytes) : bytes;

			alarm(RUN_SECONDS);
			LLVMFuzzerTestOneInput(data, mutant_bytes);
			runs++;
		}
	}
	alarm(0);
	getrusage(RUSAGE_SELF, &usage);
	printf("%lu runs, at most %ld kB\n", runs, usage.ru_maxrss);
	char path[4096];
	snprintf(path, sizeof path, "%s.crash", argv[0]);
	unlink(path);
	return runs ? 0 : 1;
}
