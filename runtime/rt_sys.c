/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_sys.h"

#include <fcntl.h>
#include <sys/mman.h>

#ifdef CPROF_TEST_TSAN /* must be told that memory is new */
#define MMAP(...) (long)mmap(__VA_ARGS__)
#define MUNMAP(...) munmap(__VA_ARGS__)
#else
#define MMAP(...) rt_sys(SYS_mmap, __VA_ARGS__)
#define MUNMAP(...) rt_sys(SYS_munmap, __VA_ARGS__)
#endif

void *rt_memory_reserve(uint64_t bytes)
{
	long address = MMAP(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return address < 0 && address > -4096 ? NULL : (void *)address;
}

void rt_memory_release(void *memory, uint64_t bytes)
{
	if (memory)
		MUNMAP(memory, bytes);
}

size_t rt_text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

size_t rt_text_append(char *out, size_t length, size_t capacity, const char *text)
{
	while (*text && length + 1 < capacity)
		out[length++] = *text++;
	out[length] = 0;
	return length;
}

size_t rt_text_append_number(char *out, size_t length, size_t capacity, uint64_t number)
{
	char digits[21];
	size_t at = sizeof digits - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return rt_text_append(out, length, capacity, digits + at);
}

uint64_t rt_text_number(const char *text, const char **end)
{
	uint64_t number = 0;

	while (*text >= '0' && *text <= '9')
		number = number * 10 + (uint64_t)(*text++ - '0');
	if (end)
		*end = text;
	return number;
}

long rt_file_read(const char *path, char *out, size_t capacity)
{
	long fd = rt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	size_t bytes = 0;

	if (fd < 0)
		return fd;
	while (bytes + 1 < capacity) {
		long got = rt_sys(SYS_read, fd, out + bytes, capacity - 1 - bytes);
		if (got <= 0)
			break;
		bytes += (size_t)got;
	}
	out[bytes] = 0;
	rt_sys(SYS_close, fd);
	return (long)bytes;
}
