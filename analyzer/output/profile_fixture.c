/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_FUNCTIONS = 64 };

/* All that renderers ask of the model. */
uint64_t profile_ns(const struct profile *profile, uint64_t ticks)
{
	return profile->info.clock_hz > 0 ? (uint64_t)((double)ticks * 1e9 / profile->info.clock_hz + 0.5) : ticks;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct profile *profile_fixture_create(void)
{
	struct profile *profile = must(calloc(1, sizeof *profile));

	profile->functions = must(calloc(FIXTURE_FUNCTIONS, sizeof *profile->functions));
	profile->root = must(calloc(1, sizeof *profile->root));
	profile->root->name = "all threads";
	profile->root->function = UINT32_MAX;
	profile->nodes = 1;
	profile->info.clock_hz = 1e9;
	profile->info.clean_exit = true;
	profile->info.threads = profile->info.processes = 1;
	return profile;
}

void profile_fixture_destroy(struct profile *profile)
{
	struct call_node *node = profile->root;

	while (node) { /* takes leaves off until nothing is left */
		struct call_node *parent = node->parent;

		if (node->first_child) {
			struct call_node *child = node->first_child;

			node->first_child = child->next_sibling;
			node = child;
			continue;
		}
		free((char *)node->site_file);
		free(node);
		node = parent;
	}
	free(profile->functions);
	free(profile);
}

static uint32_t function_of(struct profile *profile, const char *name)
{
	for (uint32_t i = 0; i < profile->nr_functions; i++)
		if (strcmp(profile->functions[i].name, name) == 0)
			return i;
	if (profile->nr_functions == FIXTURE_FUNCTIONS)
		abort();
	profile->functions[profile->nr_functions] = (struct call_function){ .name = name, .module = "/bin/app", .file = "app.c", .line = 10, .known = true };
	return (uint32_t)profile->nr_functions++;
}

static struct call_node *add(struct profile *profile, struct call_node *parent, const char *name)
{
	struct call_node *node = must(calloc(1, sizeof *node));

	node->parent = parent ? parent : profile->root;
	node->next_sibling = node->parent->first_child;
	node->parent->first_child = node;
	node->name = name;
	node->function = UINT32_MAX;
	profile->nodes++;
	return node;
}

struct call_node *profile_fixture_add_thread(struct profile *profile, const char *name)
{
	struct call_node *node = add(profile, NULL, name);

	node->kind = NODE_THREAD;
	return node;
}

struct call_node *profile_fixture_add(struct profile *profile, struct call_node *parent, const char *function, const char *site, uint64_t calls,
				      uint64_t self_ticks)
{
	struct call_node *node = add(profile, parent, function);
	const char *colon = site ? strrchr(site, ':') : NULL;

	node->kind = NODE_FUNCTION;
	node->function = function_of(profile, function);
	if (colon) {
		node->site_file = must(strndup(site, (size_t)(colon - site)));
		node->site_line = (uint32_t)atoi(colon + 1);
	}
	node->numbers.calls = calls;
	node->numbers.self_ticks = self_ticks;
	return node;
}

static void finish_node(struct profile *profile, struct call_node *node)
{
	struct call_numbers *numbers = &node->numbers;
	struct call_node *sorted = NULL;

	numbers->total_ticks = numbers->self_ticks;
	while (node->first_child) { /* insertion sort, most first */
		struct call_node *child = node->first_child, **place = &sorted;

		node->first_child = child->next_sibling;
		numbers->total_ticks += child->numbers.total_ticks;
		while (*place && (*place)->numbers.total_ticks > child->numbers.total_ticks)
			place = &(*place)->next_sibling;
		child->next_sibling = *place;
		*place = child;
	}
	node->first_child = sorted;
	numbers->span_ticks = numbers->total_ticks;
	if (numbers->calls)
		numbers->min_ticks = numbers->max_ticks = numbers->p50_ticks = numbers->p90_ticks = numbers->p99_ticks = numbers->total_ticks / numbers->calls;
	if (node->kind == NODE_FUNCTION) {
		struct call_numbers *sum = &profile->functions[node->function].numbers;

		if (!sum->calls || numbers->min_ticks < sum->min_ticks)
			sum->min_ticks = numbers->min_ticks;
		if (numbers->max_ticks > sum->max_ticks)
			sum->max_ticks = sum->p50_ticks = sum->p90_ticks = sum->p99_ticks = numbers->max_ticks;
		sum->calls += numbers->calls;
		sum->self_ticks += numbers->self_ticks;
		sum->total_ticks += numbers->span_ticks;
		sum->span_ticks += numbers->span_ticks;
		profile->info.calls += numbers->calls;
	}
}

/* Children before their parents. */
void profile_fixture_finish(struct profile *profile)
{
	struct call_node *node = profile->root;

	while (node->first_child)
		node = node->first_child;
	for (;;) {
		struct call_node *next = node->next_sibling, *parent = node->parent;

		finish_node(profile, node);
		if (node == profile->root)
			break;
		node = next ? next : parent;
		while (next && node->first_child)
			node = node->first_child;
	}
	profile->info.contexts = profile->nodes - 1;
	profile->info.events = 2 * profile->info.calls;
	profile->info.duration_ticks = profile->root->numbers.total_ticks;
	profile->info.trace_bytes = 1234;
}
