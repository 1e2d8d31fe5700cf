/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_target.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* How a triple may begin. Only what begins so is taken for a triple in the name of a compiler: "my-own-gcc" is not one. */
static const char *const known_arch[] = {
	"x86_64", "amd64",	"i386",	 "i486", "i586",  "i686", "aarch64", "arm",   "mips",	 "powerpc", "ppc",   "riscv", "s390",
	"sparc",  "loongarch", "alpha", "hppa", "m68k",  "sh4",  "ia64",    "avr",   "msp430", "xtensa",  "wasm",  "bpf",   "or1k",
};

static bool arch_is(const char *triple, const char *arch)
{
	size_t nr_bytes = strlen(arch);

	return !strncmp(triple, arch, nr_bytes) && (triple[nr_bytes] == '-' || !triple[nr_bytes]);
}

bool cc_target_triple_fits(const char *triple, const char *arch)
{
	const char *alias = !strcmp(arch, "x86_64") ? "amd64" : !strcmp(arch, "aarch64") ? "arm64" : arch;
	static const char *const other_abi[] = { "musl", "gnux32", "android", "uclibc", "ilp32" };

	if (!arch_is(triple, arch) && !arch_is(triple, alias))
		return false;
	if (!strstr(triple, "linux"))
		return false;
	for (size_t i = 0; i < sizeof(other_abi) / sizeof(*other_abi); i++)
		if (strstr(triple, other_abi[i]))
			return false;
	return true;
}

bool cc_target_compiler_fits(const char *compiler, const char *arch)
{
	static const char *const driver[] = { "-gcc", "-g++", "-clang", "-cc", "-c++" };
	const char *name = strrchr(compiler, '/') ? strrchr(compiler, '/') + 1 : compiler;
	const char *end = NULL;
	char triple[128];

	if (!strncmp(name, "musl-", 5))
		return false;
	for (size_t i = 0; i < sizeof(driver) / sizeof(*driver) && !end; i++)
		end = strstr(name, driver[i]);
	if (!end)
		return true;
	snprintf(triple, sizeof(triple), "%.*s", (int)(end - name < 127 ? end - name : 127), name);
	if (!strchr(triple, '-'))
		return true;
	for (size_t i = 0; i < sizeof(known_arch) / sizeof(*known_arch); i++)
		if (!strncmp(triple, known_arch[i], strlen(known_arch[i])))
			return cc_target_triple_fits(triple, arch);
	return true;
}
