/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_options.h"

#include <string.h>

#include "roff.h"

struct cc_text {
	const char *name;
	const char *help;
};

static const struct {
	struct cc_text text;
	enum cc_action action; /* CC_ACTION_RUN: the command is run all the same */
} options[] = {
	{ { "--cprof-alloc", "when linking a program: record its allocations, too, by context" }, CC_ACTION_RUN },
	{ { "--cprof-show", "print the command that would be run, and on stderr why nothing was added if so" }, CC_ACTION_SHOW },
	{ { "--cprof-print-config", "print the compiler, its size and date, the flags and the library (for CCACHE_COMPILERCHECK)" },
	  CC_ACTION_CONFIG },
	{ { "--cprof-version", "print the version of cprof; --version is the compiler's" }, CC_ACTION_VERSION },
	{ { "--cprof-help", "print this; --help is the compiler's" }, CC_ACTION_HELP },
	{ { "--cprof-man", "print the manual page (roff)" }, CC_ACTION_MAN },
};

static const struct cc_text variables[] = {
	{ "CPROF_CC", "the C compiler to run, of one or more words (\"ccache gcc\"); default: as named by the link (cprof-clang), or gcc" },
	{ "CPROF_CXX", "the same for C++; default: as named by the link, or g++" },
	{ "CPROF_WRAPPER", "off: run the compiler with the flags as they are (for ./configure)" },
};

struct cprof_error *cc_options_take(const char *word, bool *ret_is_ours, struct cc_wishes *wishes)
{
	*ret_is_ours = false;
	if (strncmp(word, "--cprof-", 8))
		return NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(options[i].text.name, word))
			continue;
		*ret_is_ours = true;
		if (options[i].action == CC_ACTION_RUN)
			wishes->alloc = true;
		else
			wishes->action = options[i].action;
		return NULL;
	}
	return cprof_error_create(CPROF_ERROR_USAGE, "%s: no such option; --cprof-help lists them", word);
}

static const char summary[] = "compile and link with the C compiler, so that the program records a trace of its calls when it runs";

static const struct cc_text launch = { "--launch COMPILER", "first word only: run COMPILER (CMAKE_<LANG>_COMPILER_LAUNCHER)" };

static const char *const examples[] = {
	"make CC=cprof-cc CXX=cprof-c++",
	"./configure CC=cprof-cc",
	"cmake -B build -DCMAKE_C_COMPILER=cprof-cc -DCMAKE_CXX_COMPILER=cprof-c++",
	"CPROF_CC=\"ccache gcc\" make CC=cprof-cc",
};

/* For the manual: what --cprof-help has no room for. */
static const char description[] =
	"cprof-cc is the compiler you have, with cprof in what it makes. cprof-c++ is the same for C++; cprof-gcc, cprof-g++, cprof-clang and cprof-clang++ name "
	"theirs, and so do links of your own (cprof-clang-16).\n\n"
	"When it compiles, it adds -finstrument-functions before your flags, -g1 too if you give no -g, and -fno-omit-frame-pointer "
	"-mno-omit-leaf-frame-pointer after them. When it links a program or a shared library, it adds libcprof. It adds nothing to commands that only ask the "
	"compiler something, preprocess or assemble, to those for another target or without a C library, and to the probes of build systems. A file "
	"compiled with -fno-instrument-functions is left out.\n\n"
	"The compiler takes the place of cprof-cc in its process, so exit status and signals are its own. --version and --help are the compiler's too: "
	"build systems identify it by them. The program that is made leaves its trace in trace.lz4, or where the variable CPROF_OUTPUT says.";

static void print_text(FILE *out, const struct cc_text *text)
{
	fprintf(out, "  %-22s %s\n", text->name, text->help);
}

void cc_options_print_help(FILE *out)
{
	fprintf(out, "Usage: cprof-cc [OPTION] COMPILER-ARGUMENT...\n"
		     "       cprof-cc --launch COMPILER COMPILER-ARGUMENT...\n"
		     "%c%s.\n"
		     "cprof-c++ does so with the C++ compiler; cprof-gcc, cprof-g++, cprof-clang and cprof-clang++ name theirs.\n\n",
		summary[0] - 'a' + 'A', summary + 1);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		print_text(out, &options[i].text);
	print_text(out, &launch);
	fputs("\nEnvironment:\n", out);
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		print_text(out, &variables[i]);
	fputs("\nExamples:\n", out);
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
		fprintf(out, "  %s\n", examples[i]);
}

static void print_man_text(FILE *out, const struct cc_text *text)
{
	fputs(".TP\n.B ", out);
	roff_print(out, text->name);
	fputc('\n', out);
	roff_print(out, text->help);
	fputc('\n', out);
}

void cc_options_print_man(FILE *out, const char *version)
{
	fputs(".TH CPROF\\-CC 1 \"\" \"cprof ", out);
	roff_print(out, version);
	fputs("\" \"User Commands\"\n.SH NAME\ncprof\\-cc, cprof\\-c++ \\- ", out);
	roff_print(out, summary);
	fputs("\n.SH SYNOPSIS\n.B cprof\\-cc\n[\\fIOPTION\\fR] \\fICOMPILER-ARGUMENT\\fR...\n.br\n.B cprof\\-cc \\-\\-launch\n\\fICOMPILER\\fR \\fICOMPILER-ARGUMENT\\fR...\n"
	      ".SH DESCRIPTION\n",
	      out);
	roff_print(out, description);
	fputs("\n.SH OPTIONS\n", out);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		print_man_text(out, &options[i].text);
	print_man_text(out, &launch);
	fputs(".SH ENVIRONMENT\n", out);
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		print_man_text(out, &variables[i]);
	fputs(".SH EXAMPLES\n.nf\n", out);
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		roff_print(out, examples[i]);
		fputc('\n', out);
	}
	fputs(".fi\n.SH \"SEE ALSO\"\n.BR cprof\\-analyze (1)\n", out);
}
