/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function that is chosen when the program is loaded (IFUNC), by a resolver that makes calls: in a static program that is before there are thread-local
 * variables. It must not crash; the calls of what was chosen are all there.
 *
 * calls: main=1 chosen=101 leaf=202
 * tree: [at("main/chosen/leaf")] | map(.calls) | add == 202
 * info: .unmatched_exits == 0 and .open_calls == 0 and .repaired_calls == 0 and .clean_exit
 */
static volatile int sink, resolved;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

__attribute__((noinline)) static void chosen(void)
{
	leaf();
	leaf();
}

__attribute__((noinline)) static void other(void)
{
	sink--;
}

__attribute__((noinline)) static int wants_other(void)
{
	resolved++;
	return sink;
}

static void (*resolver(void))(void)
{
	return wants_other() ? other : chosen;
}

__attribute__((noinline)) void function(void) __attribute__((ifunc("resolver")));

int main(void)
{
	for (int i = 0; i < 101; i++)
		function();
	return !resolved;
}
