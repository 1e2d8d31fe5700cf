// SPDX-License-Identifier: BSD-2-Clause
/*
 * C++ exceptions through several frames, 97 times, rethrown half way. gcc runs the exit hooks while it unwinds, clang does not;
 * the counts are the same and nothing stays open.
 *
 * calls: attempt=97 relay=97 outer=97 inner=97 after=97
 * tree: only("main/attempt/relay/outer/inner").calls == 97
 * tree: only("main/attempt/after").calls == 97
 * tree: only("main/attempt").repaired == 0
 * info: .unmatched_exits == 0
 * info: .open_calls == 0
 */
#include <stdexcept>

static volatile int sink;

__attribute__((noinline)) static void inner()
{
	sink = sink + 1;
	throw std::runtime_error("inner");
}

__attribute__((noinline)) static void outer()
{
	inner();
	sink = sink + 1;
}

__attribute__((noinline)) static void relay()
{
	try {
		outer();
	} catch (...) {
		sink = sink + 1;
		throw;
	}
}

__attribute__((noinline)) static void after()
{
	sink = sink + 1;
}

__attribute__((noinline)) static void attempt()
{
	try {
		relay();
	} catch (const std::exception &) {
		after();
	}
}

int main()
{
	for (int i = 0; i < 97; i++)
		attempt();
	return 0;
}
