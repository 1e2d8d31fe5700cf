/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A streaming JSON writer. It keeps no stack, so nesting may be as deep as the caller likes; balance is the caller's duty.
 *
 * key is NULL in an array and for the outermost value. Strings may hold any bytes: what is no UTF-8 becomes U+FFFD. Write errors stay in
 * the FILE (output_file.h reports them).
 */
#ifndef CPROF_JSON_WRITER_H
#define CPROF_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
	FILE *out;
	bool comma; /* the next value is not the first of its container */
};

void json_init(struct json_writer *json, FILE *out);
void json_finish(struct json_writer *json); /* the last newline */

void json_begin_object(struct json_writer *json, const char *key);
void json_end_object(struct json_writer *json);
void json_begin_array(struct json_writer *json, const char *key);
void json_end_array(struct json_writer *json);
void json_line(struct json_writer *json); /* the next value starts on a new line, for those who read or diff it */

void json_text(struct json_writer *json, const char *key, const char *value); /* NULL is written as null */
void json_u64(struct json_writer *json, const char *key, uint64_t value);
void json_i64(struct json_writer *json, const char *key, int64_t value);
void json_double(struct json_writer *json, const char *key, double value);     /* null when it is not finite */
void json_bool(struct json_writer *json, const char *key, bool value);
void json_null(struct json_writer *json, const char *key);

/* The characters between the quotes. */
void json_print_escaped(FILE *out, const char *text);

#endif
