/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions whose symbol says less, or other, than the source. */

static __attribute__((noinline, used)) int real_name(int value)
{
	return value + 1;
}
int a_public_alias(int value) __attribute__((alias("real_name")));

static __attribute__((noinline, used)) int only_static(int value)
{
	return value + 3;
}

__attribute__((noinline)) int renamed(int value) __asm__("symbol_of_renamed");
int renamed(int value)
{
	return value + 2;
}

/* Two global names, no help from the source: the shorter, then the first in the alphabet. */
__asm__(".text\n"
	".globl asm_long_name\n.globl asm_b\n.globl asm_a\n.type asm_long_name,@function\n.type asm_b,@function\n.type asm_a,@function\n"
	"asm_long_name:\nasm_b:\nasm_a:\nret\n"
	".size asm_long_name,1\n.size asm_b,1\n.size asm_a,1\n"
	/* behind its size: nobody's */
	".skip 15,0x90\n"
	".globl asm_unsized\n.type asm_unsized,@function\nasm_unsized:\nnop\nnop\nret\n"
	".globl asm_next\n.type asm_next,@function\nasm_next:\nret\n.size asm_next,1\n"
	".skip 12,0x90\n");

int exported(int value)
{
	return real_name(value) + renamed(value) + only_static(value);
}

int main(void)
{
	return exported(a_public_alias(1));
}

/* Variables: in the file, zeroed memory behind it, of each thread. */
__attribute__((used)) int filled[4] = { 1 };
static __attribute__((used)) int zeroed[1000];
static __attribute__((used)) __thread int of_a_thread = 1;
