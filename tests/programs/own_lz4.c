/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that has functions of its own under the names of those that the runtime packs its chunks with: each has its way. Enough calls for many chunks.
 *
 * calls: main=1 LZ4_compress_fast_extState=100003 LZ4_compress_default=101 LZ4_compressBound=103 LZ4_sizeofState=107 XXH32=109
 * info: .unmatched_exits == 0 and .open_calls == 0 and .clean_exit
 */
static volatile int sink;

#define OWN(name) __attribute__((noinline)) int name(void) { sink++; return -1; }
int LZ4_compress_fast_extState(void), LZ4_compress_default(void), LZ4_compressBound(void), LZ4_sizeofState(void), XXH32(void);
OWN(LZ4_compress_fast_extState)
OWN(LZ4_compress_default)
OWN(LZ4_compressBound)
OWN(LZ4_sizeofState)
OWN(XXH32)

#define CALL(times, name) \
	for (int i = 0; i < (times); i++) \
		result |= name() != -1

int main(void)
{
	int result = 0;

	CALL(100003, LZ4_compress_fast_extState);
	CALL(101, LZ4_compress_default);
	CALL(103, LZ4_compressBound);
	CALL(107, LZ4_sizeofState);
	CALL(109, XXH32);
	return result || sink != 100003 + 101 + 103 + 107 + 109;
}
