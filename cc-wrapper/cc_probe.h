/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Build systems compile small programs to learn what the compiler can do. Instrumenting those would change what they learn (CMake would
 * take libcprof for one of the compiler's own libraries) or litter the build tree with traces of them, so the wrapper stays out.
 *
 * They are told by the names and folders that CMake, autoconf, libtool, Meson, SCons and waf use. CPROF_WRAPPER=off is for all others.
 */
#ifndef CPROF_CC_PROBE_H
#define CPROF_CC_PROBE_H

#include <stdbool.h>

bool cc_probe_is_folder(const char *cwd);
bool cc_probe_is_input(const char *path);

#endif
