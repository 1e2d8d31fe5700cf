/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prime counts: f 23 times, g 101 times by f and main, a recursion 1,009 deep.
 *
 * calls: main=1 f=23 g=101 deeper=1009
 * tree: only("main").calls == 1
 * tree: only("main/f").calls == 23
 * tree: only("main/f/g").calls == 23
 * tree: only("main/g").calls == 78
 * tree: only("main/deeper").calls == 1009
 * tree: only("main/deeper").children == []
 * info: .calls == 1134 and .threads == 1 and .repaired_calls == 0 and .unmatched_exits == 0 and .clean_exit
 */
static volatile int sink;

__attribute__((noinline)) static void g(void)
{
	sink++;
}

__attribute__((noinline)) static void f(void)
{
	g();
	sink++;
}

__attribute__((noinline)) static int deeper(int n)
{
	return n ? 1 + deeper(n - 1) : 0;
}

int main(void)
{
	for (int i = 0; i < 23; i++)
		f();
	for (int i = 0; i < 78; i++)
		g();
	return deeper(1008) == 1008 ? 0 : 1;
}
