/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_facts.h"
#include "cc_probe.h"
#include "cc_target.h"

#include <string.h>

enum word_form {
	EXACT, /* the whole word */
	JOINED, /* the word begins so; the rest is its value */
	NEXT, /* the whole word; the next one is its value */
};

enum word_meaning {
	NOTHING,
	COMPILE,
	NO_CODE,
	ASK,
	SHARED,
	STATIC,
	RELOCATABLE,
	WITHOUT_LIBC,
	NO_STARTUP,
	BARE,
	HOSTED,
	HOOKS_OFF,
	HOOKS_ON,
	DEBUG,
	OTHER_WORD_SIZE,
	NATIVE_WORD_SIZE,
	TARGET,
	LANGUAGE,
	MACRO,
	LIBRARY,
	LINKER_WORD,  /* one word for the linker */
	LINKER_WORDS, /* several, separated by commas */
};

struct word_rule {
	const char *text;
	enum word_form form;
	enum word_meaning meaning;
};

/* The first rule that matches counts. Options that only take a value are here so that their value is not taken for an input. */
static const struct word_rule word_rules[] = {
	{ "-c", EXACT, COMPILE },
	{ "-S", EXACT, COMPILE },
	{ "--compile", EXACT, COMPILE },
	{ "--assemble", EXACT, COMPILE },
	{ "-E", EXACT, NO_CODE },
	{ "-M", EXACT, NO_CODE },
	{ "-MM", EXACT, NO_CODE },
	{ "-fsyntax-only", EXACT, NO_CODE },
	{ "--preprocess", EXACT, NO_CODE },
	{ "--dependencies", EXACT, NO_CODE },
	{ "--user-dependencies", EXACT, NO_CODE },
	{ "--analyze", EXACT, NO_CODE },
	{ "-emit-ast", EXACT, NO_CODE },
	{ "-cc1", EXACT, ASK }, /* Clang's inner self: not a driver's command line at all */
	{ "-cc1as", EXACT, ASK },
	{ "--version", EXACT, ASK },
	{ "-qversion", EXACT, ASK },
	{ "--help", EXACT, ASK },
	{ "--help=", JOINED, ASK },
	{ "--target-help", EXACT, ASK },
	{ "-dumpversion", EXACT, ASK },
	{ "-dumpfullversion", EXACT, ASK },
	{ "-dumpmachine", EXACT, ASK },
	{ "-dumpspecs", EXACT, ASK },
	{ "-print-", JOINED, ASK },
	{ "--print-", JOINED, ASK },
	{ "-shared", EXACT, SHARED },
	{ "--shared", EXACT, SHARED },
	{ "-static", EXACT, STATIC },
	{ "--static", EXACT, STATIC },
	{ "-static-pie", EXACT, STATIC },
	{ "-r", EXACT, RELOCATABLE },
	{ "--relocatable", EXACT, RELOCATABLE },
	{ "-nostdlib", EXACT, WITHOUT_LIBC },
	{ "--no-standard-libraries", EXACT, WITHOUT_LIBC },
	{ "-nodefaultlibs", EXACT, WITHOUT_LIBC },
	{ "-nolibc", EXACT, WITHOUT_LIBC },
	{ "-nostartfiles", EXACT, NO_STARTUP },
	{ "-ffreestanding", EXACT, BARE },
	{ "-fno-hosted", EXACT, BARE },
	{ "-fhosted", EXACT, HOSTED },
	{ "-fno-freestanding", EXACT, HOSTED },
	{ "-mcmodel=kernel", EXACT, NO_STARTUP },
	{ "-fno-instrument-functions", EXACT, HOOKS_OFF },
	{ "-finstrument-functions", EXACT, HOOKS_ON },
	{ "-gcc-toolchain", NEXT, NOTHING },
	{ "-g", JOINED, DEBUG },
	{ "-m32", EXACT, OTHER_WORD_SIZE },
	{ "-mx32", EXACT, OTHER_WORD_SIZE },
	{ "-m16", EXACT, OTHER_WORD_SIZE },
	{ "-mabi=ilp32", EXACT, OTHER_WORD_SIZE },
	{ "-m64", EXACT, NATIVE_WORD_SIZE },
	{ "-target", NEXT, TARGET },
	{ "--target", NEXT, TARGET },
	{ "--target=", JOINED, TARGET },
	{ "-x", NEXT, LANGUAGE },
	{ "--language", NEXT, LANGUAGE },
	{ "--language=", JOINED, LANGUAGE },
	{ "-x", JOINED, LANGUAGE },
	{ "-D", NEXT, MACRO },
	{ "--define-macro", NEXT, MACRO },
	{ "--define-macro=", JOINED, MACRO },
	{ "-D", JOINED, MACRO },
	{ "-l", NEXT, LIBRARY },
	{ "-l", JOINED, LIBRARY },
	{ "-Wl,", JOINED, LINKER_WORDS },
	{ "-Xlinker", NEXT, LINKER_WORD },
	{ "--for-linker", NEXT, LINKER_WORD },
	{ "--for-linker=", JOINED, LINKER_WORD },
	{ "-o", NEXT, NOTHING },
	{ "--output", NEXT, NOTHING },
	{ "-I", NEXT, NOTHING },
	{ "--include-directory", NEXT, NOTHING },
	{ "-L", NEXT, NOTHING },
	{ "--library-directory", NEXT, NOTHING },
	{ "-U", NEXT, NOTHING },
	{ "--undefine-macro", NEXT, NOTHING },
	{ "-A", NEXT, NOTHING },
	{ "-B", NEXT, NOTHING },
	{ "--prefix", NEXT, NOTHING },
	{ "-F", NEXT, NOTHING },
	{ "-G", NEXT, NOTHING },
	{ "-T", NEXT, NOTHING },
	{ "-Tbss", NEXT, NOTHING },
	{ "-Tdata", NEXT, NOTHING },
	{ "-Ttext", NEXT, NOTHING },
	{ "-b", NEXT, NOTHING },
	{ "-e", NEXT, NOTHING },
	{ "--entry", NEXT, NOTHING },
	{ "-u", NEXT, NOTHING },
	{ "--force-link", NEXT, NOTHING },
	{ "-z", NEXT, NOTHING },
	{ "-rpath", NEXT, NOTHING },
	{ "-MF", NEXT, NOTHING },
	{ "-MJ", NEXT, NOTHING },
	{ "-MQ", NEXT, NOTHING },
	{ "-MT", NEXT, NOTHING },
	{ "-include", NEXT, NOTHING },
	{ "--include", NEXT, NOTHING },
	{ "-include-pch", NEXT, NOTHING },
	{ "-imacros", NEXT, NOTHING },
	{ "--imacros", NEXT, NOTHING },
	{ "-idirafter", NEXT, NOTHING },
	{ "-iframework", NEXT, NOTHING },
	{ "-framework", NEXT, NOTHING },
	{ "-imultiarch", NEXT, NOTHING },
	{ "-imultilib", NEXT, NOTHING },
	{ "-iprefix", NEXT, NOTHING },
	{ "-iquote", NEXT, NOTHING },
	{ "-isysroot", NEXT, NOTHING },
	{ "-isystem", NEXT, NOTHING },
	{ "-isystem-after", NEXT, NOTHING },
	{ "-cxx-isystem", NEXT, NOTHING },
	{ "-ivfsoverlay", NEXT, NOTHING },
	{ "-iwithprefix", NEXT, NOTHING },
	{ "-iwithprefixbefore", NEXT, NOTHING },
	{ "-iwithsysroot", NEXT, NOTHING },
	{ "--sysroot", NEXT, NOTHING },
	{ "-Xassembler", NEXT, NOTHING },
	{ "--for-assembler", NEXT, NOTHING },
	{ "-Xpreprocessor", NEXT, NOTHING },
	{ "-Xanalyzer", NEXT, NOTHING },
	{ "-Xclang", NEXT, NOTHING },
	{ "-Xopenmp-target", NEXT, NOTHING },
	{ "-mllvm", NEXT, NOTHING },
	{ "-mthread-model", NEXT, NOTHING },
	{ "-arch", NEXT, NOTHING },
	{ "-aux-info", NEXT, NOTHING },
	{ "-dumpbase", NEXT, NOTHING },
	{ "-dumpbase-ext", NEXT, NOTHING },
	{ "-dumpdir", NEXT, NOTHING },
	{ "--param", NEXT, NOTHING },
	{ "-wrapper", NEXT, NOTHING },
	{ "-serialize-diagnostics", NEXT, NOTHING },
	{ "--serialize-diagnostics", NEXT, NOTHING },
	{ "-dependency-file", NEXT, NOTHING },
	{ "-working-directory", NEXT, NOTHING },
};

enum input_kind {
	INPUT_BY_SUFFIX,
	INPUT_SOURCE,
	INPUT_HEADER,
	INPUT_OTHER, /* assembler, another language, or something for the linker */
};

struct input_name {
	const char *name;
	enum input_kind kind;
};

static const struct input_name suffix_kinds[] = {
	{ "c", INPUT_SOURCE },	  { "i", INPUT_SOURCE },    { "ii", INPUT_SOURCE },  { "cc", INPUT_SOURCE },	{ "cp", INPUT_SOURCE },
	{ "cxx", INPUT_SOURCE },  { "cpp", INPUT_SOURCE },  { "CPP", INPUT_SOURCE }, { "c++", INPUT_SOURCE },	{ "C", INPUT_SOURCE },
	{ "m", INPUT_SOURCE },	  { "mi", INPUT_SOURCE },   { "mm", INPUT_SOURCE },  { "M", INPUT_SOURCE },	{ "mii", INPUT_SOURCE },
	{ "cppm", INPUT_SOURCE }, { "ixx", INPUT_SOURCE },  { "ccm", INPUT_SOURCE }, { "cxxm", INPUT_SOURCE },	{ "c++m", INPUT_SOURCE },
	{ "h", INPUT_HEADER },	  { "hh", INPUT_HEADER },   { "H", INPUT_HEADER },   { "hp", INPUT_HEADER },	{ "hxx", INPUT_HEADER },
	{ "hpp", INPUT_HEADER },  { "HPP", INPUT_HEADER },  { "h++", INPUT_HEADER }, { "tcc", INPUT_HEADER },
};

static const struct input_name language_kinds[] = {
	{ "none", INPUT_BY_SUFFIX },
	{ "c", INPUT_SOURCE },
	{ "c++", INPUT_SOURCE },
	{ "cpp-output", INPUT_SOURCE },
	{ "c++-cpp-output", INPUT_SOURCE },
	{ "c++-module", INPUT_SOURCE },
	{ "objective-c", INPUT_SOURCE },
	{ "objective-c++", INPUT_SOURCE },
	{ "objective-c-cpp-output", INPUT_SOURCE },
	{ "objective-c++-cpp-output", INPUT_SOURCE },
	{ "c-header", INPUT_HEADER },
	{ "c++-header", INPUT_HEADER },
	{ "c++-system-header", INPUT_HEADER },
	{ "c++-user-header", INPUT_HEADER },
	{ "objective-c-header", INPUT_HEADER },
	{ "objective-c++-header", INPUT_HEADER },
};

static enum input_kind input_kind_find(const struct input_name *kinds, size_t nr_kinds, const char *name)
{
	for (size_t i = 0; i < nr_kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	return INPUT_OTHER;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void facts_add_input(struct cc_facts *facts, const char *path, enum input_kind kind)
{
	const char *name = base_name(path);
	const char *dot = strrchr(name, '.');

	facts->nr_inputs++;
	if (kind == INPUT_BY_SUFFIX)
		kind = dot ? input_kind_find(suffix_kinds, sizeof(suffix_kinds) / sizeof(*suffix_kinds), dot + 1) : INPUT_OTHER;
	facts->nr_sources += kind == INPUT_SOURCE;
	facts->nr_headers += kind == INPUT_HEADER;
	if (!strcmp(name, "libc.so") || !strncmp(name, "libc.so.", 8) || !strcmp(name, "libc.a"))
		facts->names_libc = true;
	if (!facts->probe && cc_probe_is_input(path))
		facts->probe = path;
}

static bool is_one_of(const char *text, size_t nr_bytes, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == nr_bytes && !memcmp(*list, text, nr_bytes))
			return true;
	return false;
}

static void facts_add_linker_word(struct cc_facts *facts, const char *text, size_t nr_bytes)
{
	static const char *const relocatable[] = { "-r", "-i", "-Ur", "-relocatable", "--relocatable", NULL };

	if (is_one_of(text, nr_bytes, relocatable))
		facts->is_relocatable = true;
	if (nr_bytes >= 9 && !strncmp(text + (text[1] == '-'), "-build-id", 9))
		facts->has_build_id = true;
}

static void facts_add_linker_words(struct cc_facts *facts, const char *text)
{
	for (;;) {
		size_t nr_bytes = strcspn(text, ",");
		facts_add_linker_word(facts, text, nr_bytes);
		if (!text[nr_bytes])
			return;
		text += nr_bytes + 1;
	}
}

static const struct word_rule *word_rule_find(const char *word)
{
	for (size_t i = 0; i < sizeof(word_rules) / sizeof(*word_rules); i++) {
		const struct word_rule *rule = &word_rules[i];
		if (rule->form == JOINED ? !strncmp(word, rule->text, strlen(rule->text)) : !strcmp(word, rule->text))
			return rule;
	}
	return NULL;
}

/* word is the option itself, value what is joined to it or follows it ("" if neither). */
static void facts_add_option(struct cc_facts *facts, enum word_meaning meaning, const char *word, const char *value, const char *arch,
			     enum input_kind *language)
{
	switch (meaning) {
	case NOTHING:
		break;
	case COMPILE:
		if (facts->step == CC_STEP_LINK)
			facts->step = CC_STEP_COMPILE;
		break;
	case NO_CODE:
		facts->step = CC_STEP_NO_CODE;
		break;
	case ASK:
		facts->asks_compiler = true;
		break;
	case SHARED:
		facts->is_shared = true;
		break;
	case STATIC:
		facts->is_static = true;
		break;
	case RELOCATABLE:
		facts->is_relocatable = true;
		break;
	case WITHOUT_LIBC:
		facts->without_libc = word;
		break;
	case NO_STARTUP:
	case BARE:
		facts->bare = word;
		break;
	case HOSTED:
		if (facts->bare && !strncmp(facts->bare, "-f", 2))
			facts->bare = NULL;
		break;
	case HOOKS_OFF:
		facts->not_instrumented = true;
		break;
	case HOOKS_ON:
		facts->not_instrumented = false;
		break;
	case DEBUG:
		facts->has_debug = true;
		break;
	case OTHER_WORD_SIZE:
		facts->foreign = word;
		break;
	case NATIVE_WORD_SIZE:
		if (facts->foreign && !strncmp(facts->foreign, "-m", 2)) /* a word size, not a triple */
			facts->foreign = NULL;
		break;
	case TARGET:
		facts->foreign = cc_target_triple_fits(value, arch) ? NULL : value;
		break;
	case LANGUAGE:
		*language = input_kind_find(language_kinds, sizeof(language_kinds) / sizeof(*language_kinds), value);
		break;
	case MACRO:
		if (!strcmp(value, "__KERNEL__") || !strncmp(value, "__KERNEL__=", 11))
			facts->bare = "-D__KERNEL__";
		break;
	case LIBRARY:
		if (!strcmp(value, "c") || !strcmp(value, ":libc.a") || !strncmp(value, ":libc.so", 8))
			facts->names_libc = true;
		break;
	case LINKER_WORD:
		facts_add_linker_word(facts, value, strlen(value));
		break;
	case LINKER_WORDS:
		facts_add_linker_words(facts, value);
		break;
	}
}

struct cc_facts cc_facts_scan(char *const *word, size_t nr_words, const char *arch)
{
	struct cc_facts facts = { .end_of_options = CC_FACTS_NO_END };
	enum input_kind language = INPUT_BY_SUFFIX;

	for (size_t i = 0; i < nr_words; i++) {
		if (facts.end_of_options != CC_FACTS_NO_END || word[i][0] != '-' || !word[i][1]) {
			facts_add_input(&facts, word[i], language);
			continue;
		}
		if (!strcmp(word[i], "--")) {
			facts.end_of_options = i;
			continue;
		}
		const struct word_rule *rule = word_rule_find(word[i]);
		if (!rule)
			continue;
		if (rule->form == NEXT && i + 1 == nr_words) {
			facts.incomplete = true;
			break;
		}
		const char *option = word[i];
		const char *value = rule->form == NEXT ? word[++i] : option + strlen(rule->text);
		facts_add_option(&facts, rule->meaning, option, value, arch, &language);
	}
	return facts;
}

bool cc_facts_word_forbids_hooks(const char *word)
{
	return !strcmp(word, "-fno-instrument-functions");
}
