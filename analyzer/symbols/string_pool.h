/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings kept once, until the pool is destroyed.
 *
 * A program's names repeat: a hundred thousand inline frames name a few thousand functions and files. Equal strings give equal pointers.
 */
#ifndef CPROF_STRING_POOL_H
#define CPROF_STRING_POOL_H

#include <stddef.h>

#include "error.h"

/*
 * No name of a sane program is longer; what is longer is cut there, so that a hostile file cannot make one name cost megabytes each time.
 */
#define STRING_POOL_TEXT_BYTES 65536

struct string_pool;

struct cprof_error *string_pool_create(struct string_pool **ret) CPROF_MUST_CHECK;
void string_pool_destroy(struct string_pool *pool);

struct cprof_error *string_pool_add(struct string_pool *pool, const char *text, const char **ret) CPROF_MUST_CHECK;
struct cprof_error *string_pool_format(struct string_pool *pool, const char **ret, const char *format, ...) CPROF_MUST_CHECK
	CPROF_PRINTF(3, 4);

#endif
