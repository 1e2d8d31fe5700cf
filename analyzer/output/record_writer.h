/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of named fields, a line each: as JSON objects, or as rows of one CSV table whose columns are all the fields that records can have.
 *
 * In a row, fields come in the order of the columns; one that is no column is JSON's alone. Write errors stay in the FILE (output_file.h reports them).
 */
#ifndef CPROF_RECORD_WRITER_H
#define CPROF_RECORD_WRITER_H

#include "json_writer.h"

struct record_writer {
	FILE *out;
	const char *const *columns; /* up to a NULL; NULL itself: JSON */
	size_t column;              /* where the next field of the row may stand */
	struct json_writer json;
};

struct record_writer record_writer_make(FILE *out, const char *const *columns);
void record_head(const struct record_writer *record); /* the names of the columns; of JSON nothing */
void record_begin(struct record_writer *record);
void record_text(struct record_writer *record, const char *key, const char *value);
void record_u64(struct record_writer *record, const char *key, uint64_t value);
void record_bool(struct record_writer *record, const char *key, bool value);
void record_end(struct record_writer *record);

#endif
