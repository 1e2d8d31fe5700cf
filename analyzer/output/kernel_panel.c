/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_panel.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "human_ticks.h"
#include "kernel_facts.h"

struct thread_sums { /* of a KERNEL_THREADS record: its time as the kernel's own numbers split it */
	uint64_t wall_ns, blocked_ns, explained_ns;
	int64_t difference_ns;
};

static struct thread_sums thread_sums_of(const struct cprof_kernel_thread *thread)
{
	struct thread_sums sums = { .wall_ns = thread->end_ns > thread->start_ns ? thread->end_ns - thread->start_ns : 0 };

	for (size_t c = 0; c < sizeof thread->blocked_ns / sizeof *thread->blocked_ns; c++)
		sums.blocked_ns += thread->blocked_ns[c];
	sums.explained_ns = thread->on_cpu_ns + thread->runq_ns + sums.blocked_ns + thread->suspended_ns;
	sums.difference_ns = (int64_t)(sums.wall_ns - sums.explained_ns);
	return sums;
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static const char *const quality_keys[NR_FACT_QUALITIES] = { "none", "slot", "tls", "saved", "inherited", "stale", "unregistered", "no_runtime", "timed" };

/* --- text --- */

static void print_lead(FILE *out, const struct text_style *style, enum text_color color, const char *lead)
{
	text_color(style, out, color);
	fprintf(out, "  %s", lead);
	text_color(style, out, TEXT_PLAIN);
}

static void print_sources(FILE *out, const struct text_style *style, const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	char line[2048] = "kernel half";
	size_t used = strlen(line);

	for (int on = 1; on >= 0; on--) {
		const char *before = on ? ": " : "; not: ";

		for (size_t i = 0; i < tables->nr_sources && used < sizeof line - 256; i++) {
			const struct cprof_kernel_source *source = &tables->sources[i];

			if (!source->on != !on)
				continue;
			used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", before, source->name);
			if (on && strcmp(source->name, "cpu") == 0)
				used += (size_t)snprintf(line + used, sizeof line - used, " at %" PRIu32 " Hz", source->value);
			if (source->on == CPROF_SOURCE_USER)
				used += (size_t)snprintf(line + used, sizeof line - used, " (code of programs alone)");
			else if (source->on == CPROF_SOURCE_CALLS)
				used += (size_t)snprintf(line + used, sizeof line - used, " (calls of libc's functions)");
			else if (!on && *source->why)
				used += (size_t)snprintf(line + used, sizeof line - used, " (%s)", source->why);
			before = ", ";
		}
	}
	text_wrap(style, out, line);
}

static void print_losses(FILE *out, const struct text_style *style, const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	bool any = false;

	for (size_t i = 0; i < tables->nr_counters; i++) {
		const struct cprof_kernel_counter *counter = &tables->counters[i];

		if (!counter->is_loss || !counter->value)
			continue;
		text_color(style, out, TEXT_WARM);
		fprintf(out, "  lost: %s ", human_count(counter->value).text);
		text_print(style, out, counter->name, TEXT_WIDTH_MAX);
		text_color(style, out, TEXT_PLAIN);
		fputc('\n', out);
		any = true;
	}
	if (!tables->end) {
		print_lead(out, style, TEXT_WARM, "cprof-record was killed: what it had not written is lost");
		fputc('\n', out);
	} else if (!any) {
		print_lead(out, style, TEXT_GOOD, "of the kernel half nothing was lost");
		fputc('\n', out);
	}
}

/* The thread whose time adds up worst, in relation to it. */
static void print_threads(FILE *out, const struct text_style *style, const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	const struct cprof_kernel_thread *worst = NULL;
	double worst_part = -1;

	for (size_t i = 0; i < tables->nr_threads; i++) {
		struct thread_sums sums = thread_sums_of(&tables->threads[i]);
		double part = sums.wall_ns ? (double)magnitude(sums.difference_ns) / (double)sums.wall_ns : 0;

		if (part > worst_part) {
			worst_part = part;
			worst = &tables->threads[i];
		}
	}
	if (!worst)
		return;
	text_color(style, out, worst_part > 0.01 ? TEXT_WARM : TEXT_PLAIN);
	fprintf(out, "  wall = on-CPU + run queue + blocked in each of %s thread%s", human_count(tables->nr_threads).text, tables->nr_threads == 1 ? "" : "s");
	if (!thread_sums_of(worst).difference_ns) {
		fputs(", to the ns\n", out);
		return;
	}
	fprintf(out, " within %.2f %%\n    (worst: ", 100 * worst_part);
	text_print(style, out, worst->name, 16);
	fprintf(out, " [%" PRIu32 "], ", worst->tid);
	fprintf(out, "%s of ", human_ns(magnitude(thread_sums_of(worst).difference_ns)).text);
	fprintf(out, "%s)", human_ns(thread_sums_of(worst).wall_ns).text);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
}

static uint64_t on_cpu_of(const struct kernel_file *file, uint64_t *samples)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	uint64_t on_cpu_ns = 0;

	*samples = 0;
	for (size_t i = 0; i < tables->nr_threads; i++) {
		on_cpu_ns += tables->threads[i].on_cpu_ns;
		*samples += tables->threads[i].samples;
	}
	return on_cpu_ns;
}

/* How many there should be: one in each period of time on a processor. */
static void print_samples(FILE *out, const struct text_style *style, const struct kernel_file *file)
{
	uint64_t samples, on_cpu_ns = on_cpu_of(file, &samples);
	uint32_t hz = 0;

	if (!kernel_file_has_source(file, "cpu", &hz) || !hz || !kernel_file_tables(file)->nr_threads)
		return;
	double expected = (double)on_cpu_ns * hz / 1e9, chance = 3 * sqrt(expected) + 1;
	bool user_only = kernel_file_source_on(file, "cpu") == CPROF_SOURCE_USER; /* then there are fewer, and nobody knows how many */
	bool far_off = (double)samples > expected + chance || (!user_only && (double)samples < expected - chance);

	text_color(style, out, far_off ? TEXT_WARM : TEXT_PLAIN);
	fprintf(out, "  %s samples; ", human_count(samples).text);
	fprintf(out, "%s on-CPU at %" PRIu32 " Hz are %.0f", human_ns(on_cpu_ns).text, hz, expected);
	if (far_off)
		fputs(": further off than chance", out);
	else if (user_only)
		fputs(",\n    those in the kernel included, where none are taken", out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
}

static const char *const inexact_words[NR_FACT_QUALITIES] = {
	[CPROF_QUALITY_INHERITED] = "of children before their first call: their parent's context",
	[CPROF_QUALITY_STALE] = "with the last context that was known of their thread",
	[CPROF_QUALITY_UNREGISTERED] = "of threads that had made no traced call, cprof's own among them",
	[CPROF_QUALITY_NO_RUNTIME] = "of programs without cprof, or whose trace is not read: by stack",
};

static bool quality_is_exact(int quality)
{
	return quality == CPROF_QUALITY_SLOT || quality == CPROF_QUALITY_TLS || quality == CPROF_QUALITY_SAVED;
}

static void print_quality(FILE *out, const struct kernel_facts *facts)
{
	uint64_t all = 0, exact = 0, timed = 0;

	for (int source = 0; source < NR_FACT_SOURCES; source++) {
		for (int quality = 0; quality < NR_FACT_QUALITIES; quality++) {
			all += facts->qualities[source][quality];
			exact += quality_is_exact(quality) ? facts->qualities[source][quality] : 0;
		}
		timed += facts->qualities[source][CPROF_QUALITY_TIMED];
	}
	if (!all)
		return;
	fprintf(out, "  %s events of the kernel half, ", human_count(all).text);
	if (exact || !timed)
		fprintf(out, "%s %% with an exact context%s", human_percent(exact, all).text, timed ? ",\n    " : "");
	if (timed)
		fprintf(out, "%s %% with the context of their time", human_percent(timed, all).text);
	fputc('\n', out);
	for (int quality = CPROF_QUALITY_INHERITED; quality <= CPROF_QUALITY_NO_RUNTIME; quality++) {
		uint64_t count = 0;

		for (int source = 0; source < NR_FACT_SOURCES; source++)
			count += facts->qualities[source][quality];
		if (count)
			fprintf(out, "    %s %s\n", human_count(count).text, inexact_words[quality]);
	}
}

static uint64_t writers_cpu_ns(const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	uint64_t sum = 0;

	for (size_t i = 0; i < tables->nr_threads; i++)
		sum += kernel_thread_is_writer(&tables->threads[i]) ? tables->threads[i].on_cpu_ns : 0;
	return sum;
}

static void print_cost(FILE *out, const struct kernel_file *file, const struct kernel_facts *facts)
{
	const struct cprof_kernel_end *end = kernel_file_tables(file)->end;

	if (!end)
		return;
	fprintf(out, "  cost: %s of CPU in cprof-record", human_ns(end->recorder_cpu_ns).text);
	if (end->bpf_runs)
		fprintf(out, ", %s in its programs in the kernel", human_ns(end->bpf_run_ns).text);
	if (writers_cpu_ns(file))
		fprintf(out, ",\n    %s in the threads that write the traces", human_ns(writers_cpu_ns(file)).text);
	if (facts->samples_probe)
		fprintf(out, ",\n    %s samples in the profiler's own code", human_count(facts->samples_probe).text);
	fputc('\n', out);
}

void kernel_panel_text(FILE *out, const struct text_style *style, const struct profile *profile)
{
	const struct kernel_facts *facts = profile->kernel;
	const struct session *session = facts ? profile->kernel_names->session : NULL;

	if (!facts)
		return;
	for (size_t i = 0; i < session_nr_kernels(session); i++) {
		const struct kernel_file *file = session_kernel(session, i);

		print_sources(out, style, file);
		print_losses(out, style, file);
		print_threads(out, style, file);
		print_samples(out, style, file);
		print_cost(out, file, facts);
	}
	print_quality(out, facts);
	if (profile->info.sched_shrunk)
		fprintf(out, "  %s sums of the scheduler's became smaller: the trace is damaged\n", human_count(profile->info.sched_shrunk).text);
	if (facts->windowed && facts->nr_sums)
		fputs("  kernel sums are of windows of about 1 s: those that lie in the range by more than half\n", out);
	if (facts->partial)
		fputs("  what the kernel sums up for a whole process is left out: threads were chosen\n", out);
}

/* --- JSON --- */

static void json_thread(struct json_writer *json, const struct cprof_kernel_thread *thread)
{
	struct thread_sums sums = thread_sums_of(thread);

	json_begin_object(json, NULL);
	json_text(json, "name", thread->name);
	json_u64(json, "tid", thread->tid);
	json_u64(json, "wall_ns", sums.wall_ns);
	json_u64(json, "cpu_ns", thread->on_cpu_ns);
	json_u64(json, "runq_ns", thread->runq_ns);
	json_u64(json, "blocked_ns", sums.blocked_ns);
	json_u64(json, "stopped_ns", thread->suspended_ns);
	json_i64(json, "difference_ns", sums.difference_ns);
	json_u64(json, "samples", thread->samples);
	json_u64(json, "switches", thread->switches);
	json_u64(json, "faults", thread->faults);
	json_end_object(json);
}

static void json_file(struct json_writer *json, const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	uint64_t samples, on_cpu_ns = on_cpu_of(file, &samples);

	json_begin_object(json, NULL);
	json_text(json, "path", kernel_file_path(file));
	json_bool(json, "clean", kernel_file_state(file)->clean);
	json_begin_array(json, "sources");
	for (size_t i = 0; i < tables->nr_sources; i++) {
		json_begin_object(json, NULL);
		json_text(json, "name", tables->sources[i].name);
		json_bool(json, "on", tables->sources[i].on != 0);
		json_bool(json, "by_calls", tables->sources[i].on == CPROF_SOURCE_CALLS);
		json_u64(json, "value", tables->sources[i].value);
		json_text(json, "why", tables->sources[i].why);
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_object(json, "losses");
	for (size_t i = 0; i < tables->nr_counters; i++)
		if (tables->counters[i].is_loss)
			json_u64(json, tables->counters[i].name, tables->counters[i].value);
	json_end_object(json);
	json_begin_object(json, "counters");
	for (size_t i = 0; i < tables->nr_counters; i++)
		if (!tables->counters[i].is_loss)
			json_u64(json, tables->counters[i].name, tables->counters[i].value);
	json_end_object(json);
	json_begin_array(json, "threads");
	for (size_t i = 0; i < tables->nr_threads; i++)
		json_thread(json, &tables->threads[i]);
	json_end_array(json);
	json_u64(json, "samples", samples);
	json_u64(json, "cpu_ns", on_cpu_ns);
	if (tables->end) {
		json_u64(json, "recorder_cpu_ns", tables->end->recorder_cpu_ns);
		json_u64(json, "bpf_run_ns", tables->end->bpf_run_ns);
	}
	json_end_object(json);
}

void kernel_panel_json(struct json_writer *json, const char *key, const struct profile *profile)
{
	static const char *const sources[NR_FACT_SOURCES] = { "samples", "off_cpu", "sums" };
	const struct kernel_facts *facts = profile->kernel;

	if (!facts)
		return;
	json_begin_object(json, key);
	json_begin_array(json, "files");
	for (size_t i = 0; i < session_nr_kernels(profile->kernel_names->session); i++)
		json_file(json, session_kernel(profile->kernel_names->session, i));
	json_end_array(json);
	json_begin_object(json, "context_quality");
	for (int source = 0; source < NR_FACT_SOURCES; source++) {
		json_begin_object(json, sources[source]);
		for (int quality = 0; quality < NR_FACT_QUALITIES; quality++)
			json_u64(json, quality_keys[quality], facts->qualities[source][quality]);
		json_end_object(json);
	}
	json_end_object(json);
	json_u64(json, "samples_in_profiler", facts->samples_probe);
	json_bool(json, "windowed", facts->windowed);
	json_end_object(json);
}
