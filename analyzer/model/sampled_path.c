/* SPDX-License-Identifier: BSD-2-Clause */
#include "sampled_path.h"

/* Frames of a sample, innermost first: of the kernel, then of the user. */
struct sampled_frames {
	uint32_t frames[2 * CPROF_STACK_DEPTH_MAX + 2];
	size_t nr;
};

static bool is_on_path(const struct call_node *node, const char *name)
{
	for (; node; node = node->parent)
		if (node->kind == NODE_FUNCTION && node->name == name)
			return true;
	return false;
}

static struct cprof_error *stack_add(struct kernel_names *names, struct kernel_image image, const struct kernel_stack *stack, size_t nr_addresses,
				     struct sampled_frames *frames)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && stack && i < nr_addresses; i++)
		error = kernel_names_frame(names, image, stack->addresses[i], stack->kernel ? ADDRESS_OF_KERNEL : i ? ADDRESS_OF_RETURN : ADDRESS_OF_CODE,
					   &frames->frames[frames->nr++]);
	return error;
}

/* Drops what the exact path knows better, from frame `first` on. */
static void merge(const struct kernel_names *names, const struct call_node *node, size_t first, struct sampled_frames *frames)
{
	for (size_t i = first; i < frames->nr; i++) {
		if (is_on_path(node, names->frames[frames->frames[i]].name)) {
			frames->nr = i;
			return;
		}
	}
	if (frames->nr > first + 1)
		frames->nr = first + 1;
}

struct cprof_error *sampled_path_add(struct call_tree *tree, struct kernel_names *names, const struct kernel_facts *facts, const struct sample_fact *fact,
				     struct call_node *node)
{
	const struct kernel_file *file = session_kernel(names->session, fact->place.image.kernel);
	const struct kernel_stack *user = kernel_file_stack(file, fact->place.stack), *kernel = kernel_file_stack(file, fact->kernel_stack);
	struct sampled_frames frames = { .nr = 0 };
	struct cprof_error *error = NULL;
	size_t first_user;

	(void)facts;
	if (!fact->probe && kernel)
		error = stack_add(names, fact->place.image, kernel, kernel->nr_addresses, &frames);
	if (fact->probe || (fact->in_kernel && !frames.nr))
		frames.frames[frames.nr++] = fact->leaf;
	first_user = frames.nr;
	if (!fact->probe && !error && user)
		error = stack_add(names, fact->place.image, user, user->nr_addresses, &frames);
	else if (!fact->probe && !error && !fact->in_kernel)
		frames.frames[frames.nr++] = fact->leaf;
	if (node->kind == NODE_FUNCTION || node->kind == NODE_OVERFLOW)
		merge(names, node, first_user, &frames);
	for (size_t i = frames.nr; !error && i--;) {
		const struct kernel_frame *frame = &names->frames[frames.frames[i]];

		error = call_tree_sampled(tree, node, frame->name, frame->module, &node);
	}
	if (error)
		return error;
	call_tree_add_metric(node, METRIC_SAMPLES, fact->count);
	call_tree_add_metric(node, METRIC_SAMPLED, fact->ns);
	return NULL;
}
