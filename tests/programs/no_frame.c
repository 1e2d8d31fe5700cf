/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of no_frame_host.c that has no frame pointers. */
static volatile int sink;

void frameless(void (*callback)(int), int number);
void frameless_jump(void (*callback)(int));

__attribute__((noinline)) static void frameless_leaf(int number)
{
	sink += number;
}

/* Calls itself number times more. */
__attribute__((noinline)) static int frameless_deep(int number)
{
	int below = number > 0 ? frameless_deep(number - 1) : 0;

	sink += number;
	return below + 1;
}

void frameless(void (*callback)(int), int number)
{
	for (int i = 0; i < 3; i++)
		frameless_leaf(i);
	callback(number);
	sink += frameless_deep(number);
}

__attribute__((noinline)) static void frameless_middle(void (*callback)(int))
{
	callback(1);
	sink++;
}

void frameless_jump(void (*callback)(int))
{
	frameless_middle(callback);
	sink++;
}
