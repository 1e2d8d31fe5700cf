/* SPDX-License-Identifier: BSD-2-Clause */
#include "common_options.h"

const char *const format_names[] = { "text", "json", "csv", NULL };
const char *const format_names_json[] = { "text", "json", NULL };
const char *const color_names[] = { "auto", "always", "never", NULL };
const char *const recursion_names[] = { "fold", "unroll", NULL };
