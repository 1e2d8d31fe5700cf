/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members of libstdc++'s templates that exist only inlined: always_inline, and left out of every object by `extern template`. clang
 * hands the address of an inlined function to its hooks all the same, so that programs with a std::string would not link without these.
 * Nobody calls them. They do what they should nevertheless, in the layout that libstdc++'s ABI fixes, and are weak, should it ever
 * export its own. Nothing else belongs here; tests/programs/strings.cc uses them all.
 */
#include <stddef.h>

#define WEAK __attribute__((weak, visibility("default")))

/* Pointer, length, and the characters of short strings. */
struct string {
	void *data;
	size_t length;
	char local[16];
};

/* Of libstdc++ itself: operator new and delete, ostream::_M_insert(). Not there in programs without it. */
WEAK void *_Znwm(size_t bytes);
WEAK void _ZdlPv(void *memory);
WEAK void *_ZNSo9_M_insertIPKvEERSoT_(void *stream, const void *pointer);
WEAK void *_ZNSt13basic_ostreamIwSt11char_traitsIwEE9_M_insertIPKvEERS2_T_(void *stream, const void *pointer);

/* std::string::_M_use_local_data(), std::allocator<>::allocate() and deallocate(), std::ostream::operator<<(const volatile void *) */
WEAK void *_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE17_M_use_local_dataEv(struct string *string);
WEAK void *_ZNSt7__cxx1112basic_stringIwSt11char_traitsIwESaIwEE17_M_use_local_dataEv(struct string *string);
WEAK void *_ZNSaIcE8allocateEm(void *allocator, size_t count);
WEAK void *_ZNSaIwE8allocateEm(void *allocator, size_t count);
WEAK void _ZNSaIcE10deallocateEPcm(void *allocator, void *memory, size_t count);
WEAK void _ZNSaIwE10deallocateEPwm(void *allocator, void *memory, size_t count);
WEAK void *_ZNSolsEPVKv(void *stream, const void *pointer);
WEAK void *_ZNSt13basic_ostreamIwSt11char_traitsIwEElsEPVKv(void *stream, const void *pointer);

void *_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE17_M_use_local_dataEv(struct string *string)
{
	return string->local;
}

void *_ZNSt7__cxx1112basic_stringIwSt11char_traitsIwESaIwEE17_M_use_local_dataEv(struct string *string)
{
	return string->local;
}

void *_ZNSaIcE8allocateEm(void *allocator, size_t count)
{
	(void)allocator;
	return _Znwm(count);
}

/* What cannot be had is more than operator new has, which throws. */
void *_ZNSaIwE8allocateEm(void *allocator, size_t count)
{
	(void)allocator;
	return _Znwm(count > (size_t)-1 / sizeof(wchar_t) ? (size_t)-1 : count * sizeof(wchar_t));
}

void _ZNSaIcE10deallocateEPcm(void *allocator, void *memory, size_t count)
{
	(void)allocator;
	(void)count;
	_ZdlPv(memory);
}

void _ZNSaIwE10deallocateEPwm(void *allocator, void *memory, size_t count)
{
	(void)allocator;
	(void)count;
	_ZdlPv(memory);
}

void *_ZNSolsEPVKv(void *stream, const void *pointer)
{
	return _ZNSo9_M_insertIPKvEERSoT_(stream, pointer);
}

void *_ZNSt13basic_ostreamIwSt11char_traitsIwEElsEPVKv(void *stream, const void *pointer)
{
	return _ZNSt13basic_ostreamIwSt11char_traitsIwEE9_M_insertIPKvEERS2_T_(stream, pointer);
}
