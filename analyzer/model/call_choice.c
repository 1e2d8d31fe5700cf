/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_choice.h"

#include <stdlib.h>

#include "call_registry.h"
#include "function_match.h"

static bool is_one_of(const bool *functions, uint32_t function)
{
	return functions && function != FUNCTION_NONE && functions[function];
}

struct chosen_call call_choice_begin(const struct call_choice *choice, const struct chosen_call *caller, uint32_t function, uint64_t start_ticks,
				     uint64_t *skipped)
{
	struct chosen_call call = {
		.in_filter = caller->in_filter || !choice->filter || is_one_of(choice->filter, function),
		.in_focus = caller->in_focus || !choice->focus || is_one_of(choice->focus, function),
		.excluded = caller->excluded || is_one_of(choice->exclude, function),
		.in_range = start_ticks >= choice->from_ticks && start_ticks < choice->to_ticks,
	};

	if (call.in_focus && !caller->in_focus && call.in_range && *skipped < choice->skip_first) {
		++*skipped;
		call.excluded = true;
	}
	return call;
}

struct cprof_error *function_choice_init(struct function_choice *chosen, const struct call_function *functions, size_t nr_functions, const char *filter,
					 const char *exclude, const char *focus)
{
	struct cprof_error *error;

	*chosen = (struct function_choice){ NULL, NULL, NULL };
	error = function_match_pattern(functions, nr_functions, "filter", filter, &chosen->filter);
	if (!error)
		error = function_match_pattern(functions, nr_functions, "exclude", exclude, &chosen->exclude);
	if (!error)
		error = function_match_name(functions, nr_functions, focus, &chosen->focus);
	return error;
}

void function_choice_deinit(struct function_choice *chosen)
{
	free(chosen->filter);
	free(chosen->exclude);
	free(chosen->focus);
}
