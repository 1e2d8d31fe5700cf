/* SPDX-License-Identifier: BSD-2-Clause */
#include "own_files.h"

#include <string.h>

#include "kernel_file.h"
#include "text_style.h"

void own_files_init(struct own_files *files, const struct session *session)
{
	*files = (struct own_files){ .session = session };
}

void own_files_deinit(struct own_files *files)
{
	number_map_deinit(&files->is_own);
}

/* Of ".17" and what follows: 3. 0: there is no number. */
static size_t number_length(const char *text)
{
	size_t digits = text[0] == '.' ? strspn(text + 1, "0123456789") : 0;

	return digits ? digits + 1 : 0;
}

static bool is_ending(const char *text, const char *ending)
{
	size_t length = strlen(ending);

	return strncmp(text, ending, length) == 0 && (text[length] == '\0' || strcmp(text + length, ".live") == 0);
}

bool own_file_is_called(const char *name, const char *trace)
{
	static const char kernel[] = ".bpf";
	const char *base = text_base_name(trace), *dot = *base ? strrchr(base + 1, '.') : NULL;
	const char *ending = dot ? dot : base + strlen(base);
	size_t stem = (size_t)(ending - base), bytes = strlen(kernel), number;

	if (stem > bytes && strncmp(ending - bytes, kernel, bytes) == 0)
		stem -= bytes;
	name = text_base_name(name);
	if (!stem || strncmp(name, base, stem) != 0)
		return false;
	for (name += stem; !is_ending(name, ending); name += number) {
		number = number_length(name);
		if (!number)
			return false;
	}
	return true;
}

static bool is_of_session(const struct session *session, uint32_t kernel, const char *name)
{
	if (name && own_file_is_called(name, kernel_file_path(session_kernel(session, kernel)))) /* of any process of the recording */
		return true;
	for (size_t i = 0; name && i < session_nr_traces(session); i++)
		if (own_file_is_called(name, trace_path(session_trace(session, i))))
			return true;
	return false;
}

struct cprof_error *own_files_has(struct own_files *files, uint32_t kernel, struct cprof_file_id id, bool *ret)
{
	struct number_key key = { kernel, id.inode, (uint64_t)id.device << 32 | id.generation };
	uint32_t known = number_map_find(&files->is_own, key);
	struct cprof_error *error = NULL;

	if (known == NUMBER_MAP_NONE) {
		known = is_of_session(files->session, kernel, kernel_file_name(session_kernel(files->session, kernel), id));
		error = number_map_add(&files->is_own, key, known);
	}
	if (!error)
		*ret = known;
	return error;
}
