/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec of itself: nothing of the first image is lost although it never ends, and the second does not overwrite its trace. It finds no descriptor of the
 * first one's.
 *
 * calls: main=2 first=41 second=43
 * traces: 2
 * info: .processes == 1 and .execs == 1 and .clean_exit
 */
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static volatile int sink;
static int open_at_start;

__attribute__((noinline)) static void first(void)
{
	sink++;
}

__attribute__((noinline)) static void second(void)
{
	sink++;
}

/* Before the first call: standard input, output and error, and what the harness may have left. */
__attribute__((no_instrument_function)) static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

__attribute__((constructor, no_instrument_function)) static void before_main(int argc, char **argv)
{
	open_at_start = count_open();
	if (argc > 2 && open_at_start != argv[2][0] - '0')
		_exit(1);
}

int main(int argc, char **argv)
{
	char count[2] = { (char)('0' + open_at_start), 0 };

	if (argc > 1) {
		for (int i = 0; i < 43; i++)
			second();
		return 0;
	}
	for (int i = 0; i < 41; i++)
		first();
	execl("/proc/self/exe", argv[0], "again", count, (char *)NULL);
	return 1;
}
