/* SPDX-License-Identifier: BSD-2-Clause */
/* See uprobe_point.h. x86-64. */
#include "uprobe_point.h"

#include <string.h>

enum { FARTHEST = 48 };

static bool is_push(const uint8_t *at)
{
	return (at[0] >= 0x50 && at[0] <= 0x57) || (at[0] == 0x41 && at[1] >= 0x50 && at[1] <= 0x57);
}

/* What the kernel does itself: nop, jumps, calls, and push of a register. Not endbr64, and not `ret`, before which there is nothing to see. */
static bool is_emulated(const uint8_t *at)
{
	return is_push(at) || at[0] == 0x90 || at[0] == 0xE8 || at[0] == 0xE9 || at[0] == 0xEB || (at[0] >= 0x70 && at[0] <= 0x7F) ||
	       (at[0] == 0x0F && at[1] >= 0x80 && at[1] <= 0x8F);
}

/* The stack pointer, and as many arguments as are read. Numbers as in ModRM with REX. */
static bool is_precious(unsigned reg, unsigned arguments)
{
	return reg == 4 /* rsp */ || (arguments > 0 && reg == 7 /* rdi */) || (arguments > 1 && reg == 6 /* rsi */) ||
	       (arguments > 2 && reg == 2 /* rdx */);
}

/* Bytes of ModRM with SIB and displacement. */
static size_t modrm_bytes(const uint8_t *modrm)
{
	unsigned mod = modrm[0] >> 6, rm = modrm[0] & 7;
	size_t bytes = 1;

	if (mod != 3 && rm == 4) {
		bytes++;
		if (mod == 0 && (modrm[1] & 7) == 5)
			bytes += 4;
	}
	if (mod == 0 && rm == 5)
		bytes += 4;
	return bytes + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/*
 * Length of an instruction that changes nothing precious and does not write to memory; 0: not one that we know. Reads up to 12 bytes.
 */
static size_t harmless_bytes(const uint8_t *at, unsigned arguments)
{
	static const uint8_t endbr64[] = { 0xF3, 0x0F, 0x1E, 0xFA };
	unsigned rex = 0;
	size_t prefix = 0;

	if (!memcmp(at, endbr64, sizeof endbr64))
		return sizeof endbr64;
	if ((at[0] & 0xF0) == 0x40) {
		rex = at[0];
		prefix = 1;
	}
	const uint8_t *op = at + prefix, *modrm = op + 1;
	unsigned reg = (modrm[0] >> 3 & 7) | (rex & 4) << 1, rm = (modrm[0] & 7) | (rex & 1) << 3;
	bool in_register = modrm[0] >> 6 == 3 && !is_precious(rm, arguments), is_comparison = (modrm[0] >> 3 & 7) == 7;

	switch (op[0]) {
	case 0x39: /* cmp r, r/m */
	case 0x3B:
	case 0x85: /* test */
		return prefix + 1 + modrm_bytes(modrm);
	case 0x8B: /* mov r, r/m */
	case 0x8D: /* lea */
	case 0x33: /* xor r, r/m */
		return is_precious(reg, arguments) ? 0 : prefix + 1 + modrm_bytes(modrm);
	case 0x89: /* mov r/m, r */
	case 0x31: /* xor */
		return in_register ? prefix + 1 + modrm_bytes(modrm) : 0;
	case 0x80: /* arithmetic with a constant: a comparison (/7), or in a register */
	case 0x83:
		return is_comparison || in_register ? prefix + 1 + modrm_bytes(modrm) + 1 : 0;
	case 0x81:
		return is_comparison || in_register ? prefix + 1 + modrm_bytes(modrm) + 4 : 0;
	case 0xC1: /* shift */
		return in_register ? prefix + 1 + modrm_bytes(modrm) + 1 : 0;
	case 0xB8:
	case 0xB9:
	case 0xBA:
	case 0xBB:
	case 0xBD:
	case 0xBE:
	case 0xBF: /* mov r, imm */
		return is_precious((op[0] & 7u) | (rex & 1) << 3, arguments) ? 0 : prefix + 1 + (rex & 8 ? 8 : 4);
	}
	return 0;
}

size_t uprobe_point_find(const uint8_t *code, size_t bytes, unsigned arguments, bool *emulated)
{
	uint8_t padded[FARTHEST + 16] = { 0 };
	size_t at = 0;

	if (bytes > FARTHEST)
		bytes = FARTHEST;
	if (bytes)
		memcpy(padded, code, bytes);
	while (at < bytes) {
		if (is_emulated(padded + at)) {
			*emulated = true;
			return at;
		}
		size_t step = harmless_bytes(padded + at, arguments);

		if (!step)
			break;
		at += step;
	}
	*emulated = false;
	return 0;
}
