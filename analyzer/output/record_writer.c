/* SPDX-License-Identifier: BSD-2-Clause */
#include "record_writer.h"

#include <inttypes.h>
#include <string.h>

#include "numbers_json.h"

struct record_writer record_writer_make(FILE *out, const char *const *columns)
{
	return (struct record_writer){ .out = out, .columns = columns };
}

void record_head(const struct record_writer *record)
{
	for (size_t i = 0; record->columns && record->columns[i]; i++)
		fprintf(record->out, "%s%s", i ? "," : "", record->columns[i]);
	if (record->columns)
		fputs("\r\n", record->out);
}

void record_begin(struct record_writer *record)
{
	record->column = 0;
	if (record->columns)
		return;
	json_init(&record->json, record->out);
	json_begin_object(&record->json, NULL);
}

/* The row up to the column called key. False: there is none, or it lies behind. */
static bool column_reach(struct record_writer *record, const char *key)
{
	size_t column = record->column;

	while (record->columns[column] && strcmp(record->columns[column], key) != 0)
		column++;
	if (!record->columns[column])
		return false;
	for (; record->column < column; record->column++)
		fputc(',', record->out);
	return true;
}

void record_text(struct record_writer *record, const char *key, const char *value)
{
	if (!record->columns)
		json_text(&record->json, key, value);
	else if (column_reach(record, key))
		csv_text(record->out, value);
}

void record_u64(struct record_writer *record, const char *key, uint64_t value)
{
	if (!record->columns)
		json_u64(&record->json, key, value);
	else if (column_reach(record, key))
		fprintf(record->out, "%" PRIu64, value);
}

void record_bool(struct record_writer *record, const char *key, bool value)
{
	if (!record->columns)
		json_bool(&record->json, key, value);
	else if (column_reach(record, key))
		fputs(value ? "true" : "false", record->out);
}

void record_end(struct record_writer *record)
{
	if (!record->columns) {
		json_end_object(&record->json);
		json_finish(&record->json);
		return;
	}
	for (; record->columns[record->column + 1]; record->column++)
		fputc(',', record->out);
	fputs("\r\n", record->out);
}
