/* SPDX-License-Identifier: BSD-2-Clause */
/* The input: a web server's access log, made up but always the same for the same seed. */
#ifndef LOG_SOURCE_H
#define LOG_SOURCE_H

#include <stddef.h>
#include <stdint.h>

/* A NUL-terminated text of nr_lines lines; the caller frees. */
char *log_source_create(uint64_t seed, size_t nr_lines, size_t *ret_bytes);

#endif
