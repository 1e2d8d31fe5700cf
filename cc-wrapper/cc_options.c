/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_options.h"

#include <string.h>

struct cc_text {
	const char *name;
	const char *help;
};

static const struct {
	struct cc_text text;
	enum cc_action action;
} options[] = {
	{ { "--cprof-show", "print the command that would be run, and on stderr why nothing was added if so" }, CC_ACTION_SHOW },
	{ { "--cprof-print-config", "print the compiler, its size and date, the flags and the library (for CCACHE_COMPILERCHECK)" },
	  CC_ACTION_CONFIG },
	{ { "--cprof-version", "print the version of cprof; --version is the compiler's" }, CC_ACTION_VERSION },
	{ { "--cprof-help", "print this; --help is the compiler's" }, CC_ACTION_HELP },
};

static const struct cc_text variables[] = {
	{ "CPROF_CC", "the C compiler to run, of one or more words (\"ccache gcc\"); default: as named by the link (cprof-clang), or gcc" },
	{ "CPROF_CXX", "the same for C++; default: as named by the link, or g++" },
	{ "CPROF_WRAPPER", "off: run the compiler with the flags as they are (for ./configure)" },
};

struct cprof_error *cc_options_take(const char *word, bool *ret_is_ours, enum cc_action *action)
{
	*ret_is_ours = false;
	if (strncmp(word, "--cprof-", 8))
		return NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(options[i].text.name, word))
			continue;
		*ret_is_ours = true;
		*action = options[i].action;
		return NULL;
	}
	return cprof_error_create(CPROF_ERROR_USAGE, "%s: no such option; --cprof-help lists them", word);
}

void cc_options_print_help(FILE *out)
{
	fputs("Usage: cprof-cc [OPTION] COMPILER-ARGUMENT...\n"
	      "       cprof-cc --launch COMPILER COMPILER-ARGUMENT...\n"
	      "Compile and link with the C compiler, so that the program records a trace of its calls when it runs.\n"
	      "cprof-c++ does so with the C++ compiler; cprof-gcc, cprof-g++, cprof-clang and cprof-clang++ name theirs.\n\n",
	      out);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		fprintf(out, "  %-22s %s\n", options[i].text.name, options[i].text.help);
	fprintf(out, "  %-22s %s\n", "--launch COMPILER", "first word only: run COMPILER (CMAKE_<LANG>_COMPILER_LAUNCHER)");
	fputs("\nEnvironment:\n", out);
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		fprintf(out, "  %-22s %s\n", variables[i].name, variables[i].help);
	fputs("\nExamples:\n"
	      "  make CC=cprof-cc CXX=cprof-c++\n"
	      "  ./configure CC=cprof-cc\n"
	      "  cmake -B build -DCMAKE_C_COMPILER=cprof-cc -DCMAKE_CXX_COMPILER=cprof-c++\n"
	      "  CPROF_CC=\"ccache gcc\" make CC=cprof-cc\n",
	      out);
}
