/* SPDX-License-Identifier: BSD-2-Clause */
#include "json_writer.h"

#include <inttypes.h>
#include <math.h>

#include "utf8.h"

/* How many bytes from text on are printed as they are: of ASCII, which most of it is. */
static size_t plain_bytes(const char *text)
{
	size_t bytes = 0;

	while (text[bytes] >= 0x20 && text[bytes] < 0x7F && text[bytes] != '"' && text[bytes] != '\\' && text[bytes] != '<')
		bytes++;
	return bytes;
}

void json_print_escaped(FILE *out, const char *text)
{
	while (*text) {
		size_t plain = plain_bytes(text);
		const char *start = text;

		if (plain) {
			fwrite(text, 1, plain, out);
			text += plain;
			continue;
		}

		uint32_t code = utf8_next(&text);
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (int)code);
		else if (code == '\n')
			fputs("\\n", out);
		else if (code == '\t')
			fputs("\\t", out);
		else if (code == UTF8_BAD)
			fputs("\\ufffd", out);
		else if (code < 0x20 || code == 0x7F || code == 0x2028 || code == 0x2029 || code == '<')
			fprintf(out, "\\u%04" PRIx32, code); /* '<' so that JSON inside a script element cannot end it */
		else
			fwrite(start, 1, (size_t)(text - start), out);
	}
}

static void start_value(struct json_writer *json, const char *key)
{
	if (json->comma)
		fputc(',', json->out);
	json->comma = true;
	if (key) {
		fputc('"', json->out);
		json_print_escaped(json->out, key);
		fputs("\":", json->out);
	}
}

void json_init(struct json_writer *json, FILE *out)
{
	*json = (struct json_writer){ out, false };
}

void json_finish(struct json_writer *json)
{
	fputc('\n', json->out);
	json->comma = false;
}

void json_begin_object(struct json_writer *json, const char *key)
{
	start_value(json, key);
	fputc('{', json->out);
	json->comma = false;
}

void json_end_object(struct json_writer *json)
{
	fputc('}', json->out);
	json->comma = true;
}

void json_begin_array(struct json_writer *json, const char *key)
{
	start_value(json, key);
	fputc('[', json->out);
	json->comma = false;
}

void json_end_array(struct json_writer *json)
{
	fputc(']', json->out);
	json->comma = true;
}

void json_line(struct json_writer *json)
{
	if (json->comma)
		fputc(',', json->out);
	json->comma = false;
	fputc('\n', json->out);
}

void json_text(struct json_writer *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	start_value(json, key);
	fputc('"', json->out);
	json_print_escaped(json->out, value);
	fputc('"', json->out);
}

void json_u64(struct json_writer *json, const char *key, uint64_t value)
{
	start_value(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_i64(struct json_writer *json, const char *key, int64_t value)
{
	start_value(json, key);
	fprintf(json->out, "%" PRId64, value);
}

void json_double(struct json_writer *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	start_value(json, key);
	fprintf(json->out, "%.10g", value);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
	start_value(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json_writer *json, const char *key)
{
	start_value(json, key);
	fputs("null", json->out);
}
