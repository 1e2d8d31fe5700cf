/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_report.h. */
#include "record_report.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel_format.h"
#include "record_clock.h"

static void add_chunk(struct kernel_writer *writer, uint32_t kind, const void *payload, size_t bytes)
{
	uint64_t now_ns = record_clock_ns(CLOCK_MONOTONIC);
	struct cprof_chunk_header header = { .kind = (uint16_t)kind, .thread = CPROF_NO_THREAD, .first_tsc = now_ns, .last_tsc = now_ns, .items = 1 };

	kernel_writer_chunk(writer, &header, payload, bytes);
}

/* "0f2b..-" as in /proc/sys/kernel/random/boot_id. */
static void read_boot_id(uint8_t *id)
{
	char text[64] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	size_t digits = 0;

	if (fd < 0)
		return;
	if (read(fd, text, sizeof text - 1) > 0) {
		for (const char *at = text; *at && digits < 32; at++) {
			int digit = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10 : -1;

			if (digit < 0)
				continue;
			id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | digit);
			digits++;
		}
	}
	close(fd);
}

static uint64_t own_start_ticks(void)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char text[1024];
	size_t got = file ? fread(text, 1, sizeof text - 1, file) : 0;
	unsigned long long ticks = 0;

	if (file)
		fclose(file);
	text[got] = '\0';
	const char *after_name = strrchr(text, ')'); /* field 22 counts from before the name; 20 more after it */

	if (after_name)
		sscanf(after_name + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks);
	return ticks;
}

static void add_text(struct bytes *payload, const char *key, const char *value)
{
	if (bytes_add(payload, key, strlen(key)))
		bytes_add(payload, value, strlen(value) + 1);
}

void record_report_meta(struct kernel_writer *writer, const uint8_t *session, char **command)
{
	struct cprof_meta meta = { .start_realtime_ns = record_clock_ns(CLOCK_REALTIME), .process_start_ticks = own_start_ticks(),
				   .pid = (uint32_t)getpid(), .parent_pid = (uint32_t)getppid(), .clock_source = CPROF_CLOCK_MONOTONIC_NS,
				   .mode = CPROF_MODE_TRACE };
	struct bytes payload = { NULL, 0, 0 };
	char *cwd = getcwd(NULL, 0);

	memcpy(meta.session, session, sizeof meta.session);
	read_boot_id(meta.boot_id);
	bytes_add(&payload, &meta, sizeof meta);
	if (command && command[0])
		add_text(&payload, "exe=", command[0]);
	if (cwd)
		add_text(&payload, "cwd=", cwd);
	add_text(&payload, "writer=", "cprof-record " CPROF_VERSION);
	add_chunk(writer, CPROF_CHUNK_META, payload.data, payload.used);
	bytes_deinit(&payload);
	free(cwd);
}

void record_report_clock(struct kernel_writer *writer)
{
	uint64_t now_ns = record_clock_ns(CLOCK_MONOTONIC);
	struct cprof_clock clock = { .tsc = now_ns, .monotonic_ns = now_ns, .realtime_ns = record_clock_ns(CLOCK_REALTIME) };

	add_chunk(writer, CPROF_CHUNK_CLOCK, &clock, sizeof clock);
}

void record_report_sources(struct kernel_writer *writer, const struct source_state *states)
{
	for (size_t i = 0; i < nr_record_sources; i++) {
		struct cprof_kernel_source source = { .on = !states[i].on ? CPROF_SOURCE_OFF : states[i].only ? states[i].only : CPROF_SOURCE_KERNEL,
						      .value = states[i].value };

		snprintf(source.name, sizeof source.name, "%s", record_sources[i].name);
		snprintf(source.why, sizeof source.why, "%s", states[i].why);
		kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SOURCES, &source, sizeof source);
	}
}

static void add_counter(struct kernel_writer *writer, struct record_losses *losses, const char *first, const char *last, uint64_t value, bool is_loss)
{
	struct cprof_kernel_counter counter = { .value = value, .is_loss = is_loss };

	snprintf(counter.name, sizeof counter.name, "%s%s", first, last);
	if (writer)
		kernel_writer_add(writer, CPROF_CHUNK_KERNEL_LOSSES, &counter, sizeof counter);
	if (!is_loss)
		return;
	losses->sum += value;
	if (value > losses->most) {
		losses->most = value;
		memcpy(losses->most_name, counter.name, sizeof losses->most_name);
	}
}

void record_report_counter(struct kernel_writer *writer, const char *name, uint64_t value, bool is_loss, uint64_t *lost)
{
	struct record_losses losses = { .sum = 0 };

	add_counter(writer, &losses, name, "", value, is_loss);
	*lost += losses.sum;
}

/* Of all CPUs. */
static uint64_t read_counter(int map, uint32_t counter)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof *values);
	uint64_t sum = 0;

	if (values && !bpf_map_lookup_elem(map, &counter, values))
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += values[cpu];
	free(values);
	return sum;
}

static uint64_t count_keys(int map)
{
	uint64_t key, *last = NULL, count = 0;

	for (; !bpf_map_get_next_key(map, last, &key); last = &key)
		count++;
	return count;
}

struct record_losses record_report_losses(struct kernel_writer *writer, const struct record_programs *programs, const struct record_tally *tally)
{
	static const char *const words[] = {
#define CPROF_X(name, chunk, word) word,
		RING_KINDS(CPROF_X)
#undef CPROF_X
	};
	static const struct {
		const char *name;
		bool is_loss;
	} others[] = {
#define CPROF_X(name, word, loss) { word, loss },
		RECORD_COUNTERS(CPROF_X)
#undef CPROF_X
	};
	int counters = record_programs_map(programs, "counters");
	const char *program;
	struct record_losses losses = { .sum = 0 };
	uint64_t missed;

	for (uint32_t kind = 0; kind < RING_KIND_COUNT; kind++) {
		add_counter(writer, &losses, words[kind], ".produced", read_counter(counters, COUNTER_PRODUCED + kind), false);
		add_counter(writer, &losses, words[kind], ".received", tally->ring->received[kind], false);
		add_counter(writer, &losses, words[kind], ".lost", read_counter(counters, COUNTER_LOST + kind), true);
	}
	for (uint32_t i = 0; i < sizeof others / sizeof *others; i++)
		add_counter(writer, &losses, others[i].name, "", read_counter(counters, i), others[i].is_loss);
	add_counter(writer, &losses, "sums.received", "", tally->sums_received, false);
	if (writer) /* in the device when the recording ended, or their end was not said */
		add_counter(writer, &losses, "block.open", "", count_keys(record_programs_map(programs, "blocks")), false);
	for (size_t i = 0; (program = record_programs_missed(programs, i, &missed)); i++)
		add_counter(writer, &losses, "missed.", program, missed, strcmp(program, "fault_kernel") != 0); /* it misses faults of our own probes alone */
	add_counter(writer, &losses, "ring.malformed", "", tally->ring->malformed, true);
	add_counter(writer, &losses, "slots.exhausted", "", tally->slots_exhausted, true);
	add_counter(writer, &losses, "kernel-symbols.unnamed", "", tally->kernel_addresses_unnamed, true);
	add_counter(writer, &losses, "mappings.lost", "", tally->mappings_lost, true);
	add_counter(writer, &losses, "modules.unread", "", tally->modules_unread, true);
	return losses;
}

void record_report_end(struct kernel_writer *writer, uint64_t start_ns, uint64_t end_ns)
{
	struct cprof_kernel_end end = { .start_ns = start_ns, .end_ns = end_ns, .recorder_cpu_ns = record_clock_ns(CLOCK_PROCESS_CPUTIME_ID),
					.records = writer->records, .reason = CPROF_END_EXIT };

	add_chunk(writer, CPROF_CHUNK_KERNEL_END, &end, sizeof end);
}
