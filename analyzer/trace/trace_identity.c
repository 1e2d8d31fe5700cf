/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frame.h"
#include "trace_file.h"

static bool names_session(const struct cprof_meta *meta)
{
	static const uint8_t none[sizeof meta->session];

	return memcmp(meta->session, none, sizeof none) != 0;
}

static void meta_take(struct trace_identity *identity, const uint8_t *payload, size_t bytes)
{
	identity->is_trace = true;
	if (bytes < sizeof identity->meta)
		return;
	memcpy(&identity->meta, payload, sizeof identity->meta);
	identity->known = names_session(&identity->meta);
}

static struct cprof_error *file_identify(const struct trace_file *file, struct trace_identity *identity)
{
	struct frame_buffer buffer = { 0 };
	enum frame_status status;
	struct frame frame;
	const uint8_t *payload;
	const char *why;
	struct cprof_error *error = frame_probe(file, 0, &status, &frame, &why);

	if (error || status != FRAME_OK)
		return error;
	if (frame.header.kind != CPROF_CHUNK_META) {
		identity->is_trace = true;
		return NULL;
	}
	error = frame_load(file, 0, frame.frame_bytes, false, &buffer, &frame, &payload, &why);
	if (!error && why)
		identity->is_trace = true;
	else if (!error)
		meta_take(identity, payload, frame.header.payload_bytes);
	frame_buffer_deinit(&buffer);
	return error;
}

static struct cprof_error *live_identify(const struct trace_file *live, struct trace_identity *identity)
{
	struct cprof_live_header *header = malloc(sizeof *header);
	struct cprof_error *error = header ? trace_file_read(live, 0, header, sizeof *header) : &cprof_enomem;

	if (!error && header->magic == CPROF_LIVE_MAGIC)
		meta_take(identity, header->meta, header->meta_bytes <= sizeof header->meta ? header->meta_bytes : 0);
	free(header);
	return error;
}

/* What cannot be read is no trace; only want of memory is an error. */
static struct cprof_error *identify(const char *path, struct cprof_error *(*ask)(const struct trace_file *, struct trace_identity *),
				    struct trace_identity *identity)
{
	struct trace_file file = TRACE_FILE_CLOSED;
	struct stat status;
	struct cprof_error *error;

	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode)) /* nothing that opening would change */
		return NULL;
	error = trace_file_open(path, &file);
	if (!error)
		error = ask(&file, identity);
	trace_file_close(&file);
	if (error && error->code == CPROF_ERROR_NO_MEMORY)
		return error;
	cprof_error_free(error);
	return NULL;
}

struct cprof_error *trace_identify(const char *path, struct trace_identity *ret)
{
	struct trace_identity identity = { 0 };
	struct cprof_error *error = identify(path, file_identify, &identity);
	char *live;

	if (!error && !identity.is_trace) {
		if (asprintf(&live, "%s.live", path) < 0)
			return &cprof_enomem;
		error = identify(live, live_identify, &identity);
		free(live);
	}
	if (!error)
		*ret = identity;
	return error;
}

bool trace_identity_same_session(const struct trace_identity *a, const struct trace_identity *b)
{
	return a->known && b->known && memcmp(a->meta.session, b->meta.session, sizeof a->meta.session) == 0;
}

bool trace_identity_same_image(const struct trace_identity *a, const struct trace_identity *b)
{
	return trace_identity_same_session(a, b) && memcmp(a->meta.boot_id, b->meta.boot_id, sizeof a->meta.boot_id) == 0 && a->meta.pid == b->meta.pid &&
	       a->meta.process_start_ticks == b->meta.process_start_ticks && a->meta.generation == b->meta.generation &&
	       a->meta.start_realtime_ns == b->meta.start_realtime_ns;
}
