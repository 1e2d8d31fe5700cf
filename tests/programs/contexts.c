/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A calls D five times, then B("foo") which calls C, then B("bar") which calls D five times; all of it twice over. The two B's and
 * the D's below A and below B are different contexts. Built out of line, and with everything below A inlined into it (-DINLINED); there clang merges
 * the tails of B's two copies, so that some calls of C and D have no line of their own: their nodes are summed by name.
 *
 * calls: main=1 A=2 B=4 C=2 D=20
 * tree: only("main/A").calls == 2
 * tree: [at("main/A/D") | .calls] | add == 10
 * tree: [at("main/A/B")] | map(.calls) == [2, 2]
 * tree: [at("main/A/B")] | map(.site.line) | unique | length == 2
 * tree: [at("main/A/B")] | map(by_name) | sort == [[["C", 2]], [["D", 10]]]
 * tree: [at("main/A/B")] | sort_by(.site.line) | map(.children[0].name) == ["C", "D"]
 * tree: .root.wall_ns.total as $all | [nodes] | all((.fraction - .wall_ns.total / $all) | absolute < 0.000001)
 * tree: [at("main/A/B")] | all(.wall_ns.total >= 4000000)
 * tree: [at("main/A/D") | .wall_ns.self] | add >= 10000000
 * flat: [.functions[] | select(.name == "D")] | .[0].wall_ns.total >= 20000000
 */
#include <time.h>

#ifdef INLINED
#define CALLED static inline __attribute__((always_inline))
#else
#define CALLED static __attribute__((noinline))
#endif

/* Work that takes at least so long, whatever the machine: 1 ms in D, 2 ms in C. */
__attribute__((no_instrument_function, noinline)) static void work(long ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec < ns);
}

CALLED void D(void)
{
	work(1000000);
}

CALLED void C(void)
{
	work(2000000);
}

CALLED void B(const char *what)
{
	if (what[0] == 'f')
		C();
	else
		for (int i = 0; i < 5; i++)
			D();
}

__attribute__((noinline)) static void A(void)
{
	for (int i = 0; i < 5; i++)
		D();
	B("foo");
	B("bar");
}

int main(void)
{
	for (int i = 0; i < 2; i++)
		A();
	return 0;
}
