/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutual recursion A-B-A-B...: 53 levels from main, once from A and once from B, so 54 + 53 calls in all.
 *
 * calls: A=54 B=53
 * tree: only("main/A").calls == 27
 * tree: only("main/A/B").calls == 26
 * tree: only("main/A/B").children == []
 * tree: only("main/B").calls == 27
 * tree: only("main/B/A").calls == 27
 * tree: only("main/B/A").children == []
 * unroll: only("main/A/B/A/B/A").calls == 1
 */
static volatile int sink;

static void B(int n);

__attribute__((noinline)) static void A(int n)
{
	if (n > 1)
		B(n - 1);
	sink++;
}

__attribute__((noinline)) static void B(int n)
{
	if (n > 1)
		A(n - 1);
	sink++;
}

int main(void)
{
	A(53);
	B(54);
	return 0;
}
