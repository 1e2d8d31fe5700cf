// SPDX-License-Identifier: BSD-2-Clause
// Each operator new with its delete, and what ALLOC must say (see alloc_program.c).
#include <cstdio>
#include <cstdlib>
#include <new>
#include <unistd.h>

#define FUNCTION __attribute__((noinline))
static void *volatile sink;
struct alignas(128) Wide { char bytes[256]; };

FUNCTION void by_new() { sink = new char; ::operator delete(sink); sink = ::operator new(1001); }
FUNCTION void by_array() { sink = new char[2001]; ::operator delete[](sink); sink = new char[2001]; }
FUNCTION void by_nothrow() { sink = ::operator new(301, std::nothrow); ::operator delete(sink, std::nothrow); sink = ::operator new[](302, std::nothrow); }
FUNCTION void by_aligned() { Wide *volatile wide = new Wide; delete wide; sink = new Wide[2]; }
FUNCTION void by_sized() { sink = ::operator new(77); ::operator delete(sink, 77); }
FUNCTION int too_much()
{
	int caught = 0;

	sink = ::operator new(static_cast<std::size_t>(-1) / 2, std::nothrow);
	try {
		sink = ::operator new(static_cast<std::size_t>(-1) / 2);
	} catch (const std::bad_alloc &) {
		caught = 1;
	}
	return caught;
}

int main()
{
	by_new();
	by_array();
	by_nothrow();
	by_aligned();
	by_sized();
	if (!too_much())
		return 1;
	static const char text[] = "expect by_new calls=2 bytes=1002 freed_calls=1 freed_bytes=1\n"
				   "expect by_array calls=2 bytes=4002 freed_calls=1 freed_bytes=2001\n"
				   "expect by_nothrow calls=2 bytes=603 freed_calls=1 freed_bytes=301\n"
				   "expect by_aligned calls=2 bytes=768 freed_calls=1 freed_bytes=256\n"
				   "expect by_sized calls=1 bytes=77 freed_calls=1 freed_bytes=77\n";
	return write(1, text, sizeof text - 1) != static_cast<ssize_t>(sizeof text - 1);
}
