/* SPDX-License-Identifier: BSD-2-Clause */
/* A small program without libc: what fuzzing starts from. */
volatile int sink;

static inline int leaf(int value)
{
	sink = value;
	return value * 3;
}

static inline int middle(int value)
{
	for (int i = 0; i < value; i++)
		sink += leaf(i);
	return leaf(value);
}

__attribute__((noinline)) int outer(int value)
{
	return value > 3 ? middle(value) : leaf(value);
}

int weak_one(int value) __attribute__((weak, alias("outer")));

void _start(void)
{
	sink = outer(weak_one(sink));
	for (;;)
		sink++;
}
