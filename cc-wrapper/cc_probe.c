/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_probe.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

static bool matches(const char *text, const char *const *pattern)
{
	for (; *pattern; pattern++)
		if (!fnmatch(*pattern, text, 0))
			return true;
	return false;
}

/* The paths, absolute or not, that lie in a folder made for probes; '*' also matches '/'. */
static const char *const folder_pattern[] = {
	"*/CMakeFiles/*/CompilerId*",		  /* CMake: which compiler is it? */
	"*/CMakeFiles/CMakeScratch/TryCompile-*", /* CMake >= 3.24: try_compile, check_c_source_compiles */
	"*/CMakeFiles/CMakeTmp*",		  /* the same, older */
	"*/CMakeFiles/_CMakeLTOTest-*",
	"*meson-private/*",
	"*/.sconf_temp/*",
	"*/.conf_check_*", /* waf */
	NULL,
};

static const char *const input_pattern[] = {
	"conftest", "conftest.*", "conftest[_0-9]*", /* autoconf, libtool, SCons */
	"CMakeC*CompilerId.*", "CMakeC*CompilerABI.*", "sanitycheckc*.c*", NULL,
};

bool cc_probe_is_folder(const char *cwd)
{
	return matches(cwd, folder_pattern) || !strcmp(cwd + (strlen(cwd) < 14 ? 0 : strlen(cwd) - 14), "/meson-private");
}

bool cc_probe_is_input(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	return !strcmp(path, "/dev/null") || matches(path, folder_pattern) || matches(name, input_pattern);
}
