/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A calls B, B calls A again, and that inner A calls C: A-B-A-C. The inner A is the same context as the outer, so C stands below A.
 * Seven times over.
 *
 * calls: A=14 B=7 C=7
 * tree: only("main/A").calls == 14
 * tree: only("main/A/B").calls == 7
 * tree: only("main/A/C").calls == 7
 * tree: only("main/A/B").children == []
 * tree: only("main/A").wall_ns.total >= only("main/A/B").wall_ns.total + only("main/A/C").wall_ns.total
 * tree: only("main/A").span_ns <= only("main").span_ns
 * unroll: only("main/A/B/A/C").calls == 7
 */
static volatile int sink;

__attribute__((noinline)) static void C(void)
{
	sink++;
}

static void B(void);

__attribute__((noinline)) static void A(int outer)
{
	if (outer)
		B();
	else
		C();
	sink++;
}

__attribute__((noinline)) static void B(void)
{
	A(0);
	sink++;
}

int main(void)
{
	for (int i = 0; i < 7; i++)
		A(1);
	return 0;
}
