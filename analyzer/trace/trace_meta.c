/* SPDX-License-Identifier: BSD-2-Clause */
/* META's fixed part and strings; see trace_meta.h and docs/trace-format.md 3.1. */
#include "trace_meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"

struct cprof_error *trace_version_check(const char *path, uint64_t offset, uint32_t version)
{
	if (version <= CPROF_FORMAT_VERSION)
		return NULL;
	return cprof_error_at(CPROF_ERROR_UNSUPPORTED, path, offset, "was written by a newer cprof (format version %u, this one reads up to %u)", version,
			      CPROF_FORMAT_VERSION);
}

/* Names come from the file and go to a terminal. */
static void copy_printable(char *to, size_t to_bytes, const char *from)
{
	size_t nr = 0;

	for (; nr + 1 < to_bytes && from[nr]; nr++)
		to[nr] = from[nr] >= ' ' && from[nr] <= '~' ? from[nr] : '?';
	to[nr] = '\0';
}

static struct cprof_error *check_features(const char *path, uint64_t features, const char *names)
{
	uint64_t unknown = features & ~(uint64_t)CPROF_FEATURES_KNOWN;
	char printable[200];

	if (!unknown)
		return NULL;
	copy_printable(printable, sizeof printable, *names ? names : "without a name");
	return cprof_error_at(CPROF_ERROR_UNSUPPORTED, path, CPROF_NO_OFFSET,
			      "needs what this program does not know: %s (feature bits 0x%" PRIx64 "); use a newer cprof-analyze", printable, unknown);
}

struct cprof_error *trace_meta_parse(const char *path, uint32_t version, const uint8_t *payload, size_t bytes, struct trace_meta *ret, const char **why)
{
	struct trace_meta meta = { .exe = "", .command_line = "", .working_directory = "", .writer = "" };
	struct cursor cursor = cursor_make(payload, bytes + 1);
	struct cprof_error *error = trace_version_check(path, CPROF_NO_OFFSET, version);
	const char *text, *requires = "";

	*why = NULL;
	if (error)
		return error;
	if (bytes < sizeof meta.fixed || !cursor_copy(&cursor, &meta.fixed, sizeof meta.fixed)) {
		*why = "META is too short";
		return NULL;
	}
	while (cursor_string(&cursor, &text)) {
		const struct {
			const char *key;
			const char **value;
		} keys[] = { { "exe=", &meta.exe }, { "cmdline=", &meta.command_line }, { "cwd=", &meta.working_directory },
			     { "writer=", &meta.writer }, { "requires=", &requires } };

		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
			if (!strncmp(text, keys[i].key, strlen(keys[i].key)))
				*keys[i].value = text + strlen(keys[i].key);
		}
	}
	error = check_features(path, meta.fixed.required_features, requires);
	if (!error)
		*ret = meta;
	return error;
}
