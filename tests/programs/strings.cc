// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings and string streams, narrow and wide: libstdc++ has members of theirs that exist only inlined, and clang's hooks want their
 * addresses (runtime/libstdcxx_inlines.c). The program must link.
 *
 * calls: narrow=97 wide=97
 * tree: only("main/narrow").calls == 97
 * tree: only("main/wide").calls == 97
 * info: .unmatched_exits == 0
 * info: .open_calls == 0
 */
#include <sstream>
#include <string>
#include <utility>

extern "C" {
__attribute__((noinline)) size_t narrow(int number)
{
	std::ostringstream stream;
	stream << "number " << number;
	std::string text = stream.str(), moved = std::move(text);
	text = moved + text;
	stream << static_cast<const volatile void *>(&stream);
	return text.size();
}

__attribute__((noinline)) size_t wide(int number)
{
	std::wostringstream stream;
	stream << L"number " << number;
	std::wstring text = stream.str(), moved = std::move(text);
	text = moved + text;
	stream << static_cast<const volatile void *>(&stream);
	return text.size();
}
}

int main()
{
	size_t length = 0;

	for (int i = 0; i < 97; i++)
		length += narrow(i) + wide(i);
	return length == 0;
}
