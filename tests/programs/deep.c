/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 50,021 calls open at once.
 *
 * calls: main=1 down=50021 bottom=1
 * tree: only("main/down").calls == 50021
 * tree: only("main/down/bottom").calls == 1
 * info: .repaired_calls == 0
 */
static volatile int sink;

__attribute__((noinline)) static void bottom(void)
{
	sink++;
}

__attribute__((noinline)) static int down(int n)
{
	if (n)
		return down(n - 1) + 1;
	bottom();
	return 0;
}

int main(void)
{
	return down(50020) == 50020 ? 0 : 1;
}
