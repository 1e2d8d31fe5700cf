/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The symbolizer on any bytes in place of a program.
 *
 * Asks for everything there is: status, functions and chains over the code that the file says it has. Holds it to what its header promises.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf_file.h"
#include "symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ADDRESSES = 256 };

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void address_ask(struct symbolizer *symbolizer, uint64_t address)
{
	const struct symbol_frame *frames;
	struct symbol_function function;
	struct symbol_variable variable;
	size_t count;

	require(!symbolizer_function(symbolizer, 1, address, &function), "only a lack of memory is an error");
	require(function.name && *function.name, "a function has a name");
	require(function.known || !function.linkage, "what is unknown has no symbol");
	require(!symbolizer_variable(symbolizer, 1, address, &variable), "only a lack of memory is an error");
	require(!variable.name || variable.offset <= variable.bytes || !variable.bytes, "an address lies in its variable");
	require(!symbolizer_chain(symbolizer, 1, address, &frames, &count), "only a lack of memory is an error");
	for (size_t i = 0; i < count; i++)
		require(frames[i].function && (!frames[i].file || strlen(frames[i].file) < 65536), "frames are whole");
}

static void code_ask(struct symbolizer *symbolizer, const char *path)
{
	struct elf_file *file;
	struct cprof_error *error = elf_file_open(path, &file);

	address_ask(symbolizer, 0);
	address_ask(symbolizer, UINT64_MAX);
	if (error) {
		cprof_error_free(error);
		return;
	}
	for (size_t i = 0; i < file->nr_code; i++) {
		uint64_t bytes = file->code[i].high - file->code[i].low, step = bytes / ADDRESSES + 1;

		for (uint64_t j = 0; j < ADDRESSES && j < bytes; j++)
			address_ask(symbolizer, file->code[i].low + j * step % bytes);
		for (uint64_t j = 0; j < ADDRESSES; j++) /* data lies behind the code */
			address_ask(symbolizer, file->code[i].high + j * 64);
	}
	elf_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct symbolizer_options options;
	struct symbolizer *symbolizer;
	char path[64];
	int fd = memfd_create("program", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes, "a file can be made");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	require(!symbolizer_create(&options, &symbolizer), "there is memory");
	require(!symbolizer_add_module(symbolizer, 1, path, NULL, 0), "there is memory");
	struct symbol_module_info info = symbolizer_module_info(symbolizer, 1);
	require(info.status == SYMBOLS_FULL || info.detail, "a status is explained");
	code_ask(symbolizer, path);
	symbolizer_module_info(symbolizer, 1);
	symbolizer_destroy(symbolizer);
	close(fd);
	return 0;
}
