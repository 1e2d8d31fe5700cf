/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_args.h"
#include "cc_facts.h"
#include "cc_probe.h"
#include "cc_target.h"

#include <stdlib.h>
#include <string.h>

void cc_plan_deinit(struct cc_plan *plan)
{
	cc_words_deinit(&plan->argv);
	free(plan->detail);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_cxx_name(const char *name)
{
	size_t nr_bytes = strlen(name);

	return strstr(name, "++") || (nr_bytes >= 3 && !strcmp(name + nr_bytes - 3, "cxx"));
}

/*
 * Which compiler.
 *
 * "ccache gcc -m64" is run as it is; the compiler, by whose name a cross compiler or Clang is told, is the last word before the first
 * option. What follows it counts as the user's.
 */
static void compiler_add_default(const char *program, bool is_cxx, struct cc_words *ret)
{
	const char *name = base_name(program);

	if (!strncmp(name, "cprof-", 6))
		name += 6;
	if (!strcmp(name, "cc") || !strcmp(name, "c++") || !*name)
		name = is_cxx ? "g++" : "gcc";
	cc_words_add(ret, name);
}

static struct cprof_error *compiler_find(const struct cc_host *host, const char *program, struct cc_words *ret, size_t *ret_nr_words)
{
	bool is_cxx = is_cxx_name(base_name(program));
	const char *variable = is_cxx ? "CPROF_CXX" : "CPROF_CC";
	const char *value = host->read_env(host->arg, variable);

	if (value && *value)
		response_file_split(value, ret);
	else
		compiler_add_default(program, is_cxx, ret);
	struct cprof_error *error = cc_words_error(ret);
	if (error)
		return error;
	size_t nr = 0;
	while (nr < ret->nr && ret->word[nr][0] != '-')
		nr++;
	if (!nr)
		return cprof_error_create(CPROF_ERROR_USAGE, "%s=%s names no compiler; try %s=%s", variable,
					  value ? value : ret->word[0], variable, is_cxx ? "g++" : "gcc");
	*ret_nr_words = nr;
	return NULL;
}

/* How many words at the start of a launched command are the compiler's: one, and one more for each launcher before it. */
static size_t launched_nr_words(char *const *word, size_t nr)
{
	static const char *const launcher[] = { "ccache", "sccache", "distcc", "icecc" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof(launcher) / sizeof(*launcher) && at + 1 < nr; i++) {
		if (!strcmp(base_name(word[at]), launcher[i]) && word[at + 1][0] != '-') {
			at++;
			i = (size_t)-1;
		}
	}
	return at + 1;
}

static bool is_own_name(const char *path)
{
	return !strncmp(base_name(path), "cprof-", 6);
}

/* The table: what takes part in this command. */
struct cc_parts {
	bool compile;
	bool link;
	bool warn;
	bool strip; /* take away what the compiler at hand does not know */
	const char *untouched;
	const char *detail;
};

static struct cc_parts parts_none(const char *why, const char *detail)
{
	return (struct cc_parts){ .untouched = why, .detail = detail };
}

/* Commands that must reach the compiler as they are. */
static bool parts_are_none(const struct cc_host *host, const struct cc_facts *facts, struct cc_parts *ret)
{
	if (facts->asks_compiler || !facts->nr_inputs)
		*ret = parts_none("no input file, or only a question to the compiler", NULL);
	else if (facts->incomplete)
		*ret = parts_none("the last option lacks its argument", NULL);
	else if (facts->probe)
		*ret = parts_none("a probe of the build system", facts->probe);
	else if (cc_probe_is_folder(host->cwd))
		*ret = parts_none("a probe of the build system", host->cwd);
	else
		return false;
	return true;
}

/* Programs that libcprof cannot live in, and commands that make none. */
static struct cc_parts parts_weigh(const struct cc_host *host, const struct cc_facts *facts, const char *compiler)
{
	if (facts->step == CC_STEP_NO_CODE)
		return parts_none("no code is generated", NULL);
	if (facts->bare)
		return parts_none("not a program for this operating system", facts->bare);
	/* libtool links shared C++ libraries with -nostdlib and names libc itself */
	if (facts->without_libc && !facts->names_libc)
		return parts_none("no C library", facts->without_libc);
	struct cc_parts parts = {
		.compile = facts->nr_sources + facts->nr_headers && !facts->not_instrumented,
		.link = facts->step == CC_STEP_LINK && !facts->is_relocatable && !facts->nr_headers,
	};
	if (!parts.compile && !parts.link)
		return facts->not_instrumented ? parts_none("not to be instrumented", "-fno-instrument-functions")
					       : parts_none("neither C nor C++ to compile, nor a program to link", NULL);
	const char *foreign = facts->foreign;
	if (!foreign && !cc_target_compiler_fits(compiler, host->arch))
		foreign = compiler;
	if (foreign) {
		parts = parts_none("libcprof is not built for this target", foreign);
		parts.warn = true;
	}
	return parts;
}

static struct cc_parts parts_decide(const struct cc_host *host, const struct cc_facts *facts, const char *compiler)
{
	struct cc_parts parts;

	if (parts_are_none(host, facts, &parts))
		return parts;
	parts = parts_weigh(host, facts, compiler);
	parts.strip = true;
	return parts;
}

/* Flags. Only what is certain to be known to GCC and Clang alike. */
static const char *frame_pointer_flag(const char *arch)
{
	return !strcmp(arch, "x86_64") || !strcmp(arch, "aarch64") ? "-mno-omit-leaf-frame-pointer" : NULL;
}

const char *cc_args_compile_flags(const char *arch)
{
	return frame_pointer_flag(arch) ? "-finstrument-functions -g1 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"
					: "-finstrument-functions -g1 -fno-omit-frame-pointer";
}

/* Before the user's flags, so that theirs win. */
static void add_leading_compile_flags(const struct cc_facts *facts, struct cc_words *out)
{
	cc_words_add(out, "-finstrument-functions");
	if (!facts->has_debug)
		cc_words_add(out, "-g1"); /* lines and inline chains, no more */
}

/* Behind the user's flags, so that these win: a chain of frames with a gap is worth nothing. */
static void add_trailing_compile_flags(const char *arch, struct cc_words *out)
{
	cc_words_add(out, "-fno-omit-frame-pointer");
	if (frame_pointer_flag(arch))
		cc_words_add(out, frame_pointer_flag(arch));
}

/*
 * The library proper. By name, never by path: behind "-x c" a path would be compiled.
 *
 * Shared: kept even under --as-needed, and looked for as shared library even behind -Wl,-Bstatic.
 * Static: -u, because the empty hooks of libc.a would do as well, and because LTO would see no one who calls them. --wrap: what libcprof.so does by
 * standing in front of libc; it changes nothing for programs that call none of these. -u for those, because who calls them may come after the archive: libc.a's
 * own fork(), and the user's objects where libc is named.
 */
static void add_library(bool is_static, struct cc_words *out)
{
	if (is_static) {
		cc_words_add(out, "-Wl,-u,__cyg_profile_func_enter");
		cc_words_add(out, "-Wl,-u,__cyg_profile_func_exit");
		cc_words_add(out, "-Wl,--wrap=swapcontext,--wrap=setcontext,--wrap=_Fork,--wrap=unshare,--wrap=setns");
		cc_words_add(out, "-Wl,-u,__wrap_swapcontext,-u,__wrap__Fork,-u,__wrap_unshare,-u,__wrap_setns");
		cc_words_add(out, "-lcprof");
		cc_words_add(out, "-lpthread");
		return;
	}
	cc_words_add(out, "-Wl,--push-state,-Bdynamic,--no-as-needed");
	cc_words_add(out, "-lcprof");
	cc_words_add(out, "-Wl,--pop-state");
}

/*
 * The allocation interposer. As a shared library it comes before all of the user's, for one of them may be an allocator. In a static program the linker puts
 * it before malloc's family (the list is that of runtime/alloc/exported_symbols_static.txt); -u, because libcprof refers to it only weakly.
 */
static void add_interposer(bool is_static, struct cc_words *out)
{
	if (is_static) {
		cc_words_add(out, "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=free,--wrap=memalign,--wrap=aligned_alloc");
		cc_words_add(out, "-Wl,--wrap=posix_memalign,--wrap=valloc,--wrap=pvalloc,-u,__wrap_malloc");
		cc_words_add(out, "-lcprof-alloc");
		return;
	}
	cc_words_add(out, "-Wl,--push-state,-Bdynamic,--no-as-needed");
	cc_words_add(out, "-lcprof-alloc");
	cc_words_add(out, "-Wl,--pop-state");
}

/* Folders come last wherever the library stands: the user's -L and -rpath go first. */
static void add_library_folder(const struct cc_library *library, bool is_static, struct cc_words *out)
{
	if (library->is_system)
		return;
	cc_words_add_format(out, "-L%s", library->folder);
	if (is_static)
		return;
	if (!strchr(library->folder, ',')) {
		cc_words_add_format(out, "-Wl,-rpath,%s", library->folder);
		return;
	}
	cc_words_add(out, "-Xlinker");
	cc_words_add(out, "-rpath");
	cc_words_add(out, "-Xlinker");
	cc_words_add(out, library->folder);
}

static struct cprof_error *library_find(const struct cc_host *host, bool is_static, const struct cc_library **ret)
{
	const struct cc_library *library = is_static ? &host->static_library : &host->shared_library;

	if (!library->folder)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND,
					  "%s not found in %s; install cprof's runtime there, or set CPROF_WRAPPER=off to build without cprof",
					  is_static ? "libcprof.a" : "libcprof.so", host->searched);
	*ret = library;
	return NULL;
}

/* Only GCC knows -fno-instrument-functions; a compiler of unknown name ("cc", "mpicc") does without, for there is nothing to switch off. */
static bool must_strip(const char *word, const char *compiler)
{
	const char *name = base_name(compiler);

	return cc_facts_word_forbids_hooks(word) && (strstr(name, "clang") || (!strstr(name, "gcc") && !strstr(name, "g++")));
}

struct cc_command {
	const char *compiler;
	char *const *user; /* the words behind the compiler */
	size_t nr_user;
	size_t end_of_options; /* index in user of the "--", or of the response file it stands in; nr_user if there is none */
	bool alloc;
};

/*
 * compiler [library] -finstrument-functions [-g1] USER... frame-pointers [library] folders [-- USER...]
 *
 * The library stands last, unless the user names libc: the loader takes the hooks from the first library that has them, and libc has
 * (empty ones). Static linking takes them from the first archive, for the same reason.
 */
static struct cprof_error *command_build(const struct cc_host *host, const struct cc_command *command, const struct cc_facts *facts,
					 const struct cc_parts *parts, struct cc_words *out)
{
	bool is_static = facts->is_static && !facts->is_shared, alloc = command->alloc && parts->link && !facts->is_shared;
	const struct cc_library *library = NULL;

	if (parts->link) {
		struct cprof_error *error = library_find(host, is_static, &library);
		if (error)
			return error;
	}
	if (alloc && (!is_static || facts->names_libc))
		add_interposer(is_static, out);
	if (parts->link && facts->names_libc)
		add_library(is_static, out);
	if (parts->compile)
		add_leading_compile_flags(facts, out);
	for (size_t i = 0; i < command->end_of_options; i++)
		if (!parts->strip || !must_strip(command->user[i], command->compiler))
			cc_words_add(out, command->user[i]);
	if (parts->compile)
		add_trailing_compile_flags(host->arch, out);
	if (parts->link) {
		if (alloc && is_static && !facts->names_libc)
			add_interposer(true, out);
		if (!facts->names_libc)
			add_library(is_static, out);
		add_library_folder(library, is_static, out);
		if (!facts->has_build_id)
			cc_words_add(out, "-Wl,--build-id=sha1");
	}
	for (size_t i = command->end_of_options; i < command->nr_user; i++)
		cc_words_add(out, command->user[i]);
	return cc_words_error(out);
}

/* CPROF_WRAPPER: a misspelt "off" must not go unnoticed. */
static struct cprof_error *wrapper_is_off(const struct cc_host *host, bool *ret)
{
	const char *value = host->read_env(host->arg, "CPROF_WRAPPER");

	if (value && *value && strcmp(value, "on") && strcmp(value, "off"))
		return cprof_error_create(CPROF_ERROR_USAGE, "CPROF_WRAPPER=%s: neither \"on\" nor \"off\"", value);
	*ret = value && !strcmp(value, "off");
	return NULL;
}

/* Sees what the words ask for and decides. */
static struct cprof_error *command_decide(const struct cc_host *host, struct cc_command *command, struct cc_facts *ret_facts,
					  struct cc_parts *ret_parts, struct cc_words *expanded)
{
	size_t *origin = NULL;
	struct cprof_error *error =
		response_file_expand(command->user, command->nr_user, host->read_response, host->arg, expanded, &origin);

	if (error && error->code == CPROF_ERROR_UNSUPPORTED) {
		cprof_error_free(error);
		*ret_facts = (struct cc_facts){ .end_of_options = CC_FACTS_NO_END };
		*ret_parts = parts_none("a response file that is no regular file and so cannot be looked into beforehand", NULL);
		ret_parts->warn = true;
		return NULL;
	}
	if (error)
		return error;
	*ret_facts = cc_facts_scan(expanded->word, expanded->nr, host->arch);
	if (ret_facts->end_of_options != CC_FACTS_NO_END)
		command->end_of_options = origin[ret_facts->end_of_options];
	*ret_parts = parts_decide(host, ret_facts, command->compiler);
	free(origin);
	return NULL;
}

/* Moves our own options from words to plan. */
static struct cprof_error *take_own_options(char *const *word, size_t nr, struct cc_plan *plan, struct cc_words *ret)
{
	struct cc_wishes wishes = { .action = plan->action };
	bool is_ours, ended = false;

	for (size_t i = 0; i < nr; i++) {
		ended |= !strcmp(word[i], "--");
		struct cprof_error *error = cc_options_take(ended ? "" : word[i], &is_ours, &wishes);
		if (error)
			return error;
		if (!is_ours)
			cc_words_add(ret, word[i]);
	}
	plan->action = wishes.action;
	plan->alloc = wishes.alloc;
	return cc_words_error(ret);
}

/* Words of the compiler into plan->argv, those behind it (of CPROF_CC, then of the caller) into user. */
static struct cprof_error *split_command(const struct cc_host *host, char *const *argv, size_t argc, struct cc_plan *plan,
					 struct cc_words *user)
{
	struct cc_words compiler = { 0 };
	struct cprof_error *error = NULL;
	size_t nr_words = 0;
	bool is_launched = false;

	while (argc > 1 && !strcmp(argv[1], "--launch")) {
		if (argc < 3 || argv[2][0] == '-')
			return cprof_error_create(CPROF_ERROR_USAGE, "--launch: no compiler follows it; use --launch gcc -c file.c");
		/* a build may name the wrapper both as launcher and as compiler: then the compiler is what that name says */
		is_launched = !is_own_name(argv[2]);
		argv += 2;
		argc -= 2;
		if (is_launched)
			break;
	}
	if (is_launched) {
		nr_words = launched_nr_words(argv, argc);
		for (size_t i = 0; i < nr_words; i++)
			cc_words_add(&compiler, argv[i]);
		argv += nr_words - 1;
		argc -= nr_words - 1;
		error = cc_words_error(&compiler);
	} else {
		error = compiler_find(host, argv[0], &compiler, &nr_words);
	}
	if (!error) {
		for (size_t i = 0; i < nr_words; i++)
			cc_words_add(&plan->argv, compiler.word[i]);
		for (size_t i = nr_words; i < compiler.nr; i++)
			cc_words_add(user, compiler.word[i]);
		plan->nr_compiler_words = nr_words;
		error = take_own_options(argv + 1, argc - 1, plan, user);
	}
	cc_words_deinit(&compiler);
	return error;
}

static struct cprof_error *plan_command(const struct cc_host *host, struct cc_plan *plan, const struct cc_words *user)
{
	struct cc_command command = {
		.compiler = plan->argv.word[plan->nr_compiler_words - 1],
		.user = user->word,
		.nr_user = user->nr,
		.end_of_options = user->nr,
		.alloc = plan->alloc,
	};
	struct cc_words expanded = { 0 };
	struct cc_facts facts = { 0 };
	struct cc_parts parts = { 0 };
	bool is_off = false;
	struct cprof_error *error = wrapper_is_off(host, &is_off);

	if (!error && is_off)
		parts = parts_none("CPROF_WRAPPER=off", NULL);
	else if (!error)
		error = command_decide(host, &command, &facts, &parts, &expanded);
	if (!error)
		error = command_build(host, &command, &facts, &parts, &plan->argv);
	if (!error) {
		plan->untouched = parts.untouched;
		plan->warn = parts.warn;
		plan->detail = parts.detail ? strdup(parts.detail) : NULL;
	}
	cc_words_deinit(&expanded);
	return error;
}

struct cprof_error *cc_args_plan(const struct cc_host *host, char *const *argv, size_t argc, struct cc_plan *ret)
{
	struct cc_words user = { 0 };
	struct cc_plan plan = { .action = CC_ACTION_RUN };
	struct cprof_error *error = split_command(host, argv, argc, &plan, &user);

	if (!error && (plan.action == CC_ACTION_RUN || plan.action == CC_ACTION_SHOW))
		error = plan_command(host, &plan, &user);
	cc_words_deinit(&user);
	if (error)
		cc_plan_deinit(&plan);
	else
		*ret = plan;
	return error;
}

void cc_args_quote(const char *word, FILE *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%^";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}
