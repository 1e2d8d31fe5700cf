/* SPDX-License-Identifier: BSD-2-Clause */
#include "numbers_json.h"

#include <inttypes.h>
#include <string.h>

#include "call_view.h"

static void json_ticks(struct json_writer *json, const struct profile *profile, const char *key, uint64_t ticks)
{
	if (ticks == CALL_TICKS_UNKNOWN)
		json_null(json, key);
	else
		json_u64(json, key, profile_ns(profile, ticks));
}

static void json_pair(struct json_writer *json, const char *key, const struct call_metrics *metrics, enum call_metric metric)
{
	json_begin_object(json, key);
	if (metric == METRIC_UNEXPLAINED) {
		json_i64(json, "self", (int64_t)metrics->self[metric]);
		json_i64(json, "total", (int64_t)metrics->total[metric]);
	} else {
		json_u64(json, "self", metrics->self[metric]);
		json_u64(json, "total", metrics->total[metric]);
	}
	json_end_object(json);
}

/* Blocked time by reason is an object of its own. */
static void metrics_json(struct json_writer *json, uint32_t recorded, const struct call_metrics *metrics)
{
	for (int m = 0; m < NR_METRICS; m++) {
		if (!(recorded & 1u << m) || METRICS_BLOCKED_BY & 1u << m)
			continue;
		json_pair(json, call_metric_infos[m].key, metrics, (enum call_metric)m);
		if (m != METRIC_BLOCKED)
			continue;
		json_begin_object(json, "blocked_by");
		for (int by = METRIC_BLOCKED_LOCK; by <= METRIC_BLOCKED_OTHER; by++)
			json_pair(json, call_metric_infos[by].key, metrics, (enum call_metric)by);
		json_end_object(json);
	}
}

void numbers_json(struct json_writer *json, const struct profile *profile, const struct call_numbers *numbers)
{
	json_u64(json, "calls", numbers->calls);
	json_u64(json, "open", numbers->open);
	json_u64(json, "repaired", numbers->repaired);
	json_ticks(json, profile, "span_ns", numbers->span_ticks);
	json_begin_object(json, "wall_ns");
	json_ticks(json, profile, "self", numbers->self_ticks);
	json_ticks(json, profile, "total", numbers->total_ticks);
	json_end_object(json);
	if (profile->info.strands) {
		json_begin_object(json, "suspended_ns");
		json_ticks(json, profile, "self", numbers->suspended_ticks);
		json_ticks(json, profile, "total", numbers->suspended_total_ticks);
		json_end_object(json);
	}
	if (numbers->metrics)
		metrics_json(json, profile->metrics, numbers->metrics);
	if (numbers->calls <= numbers->open) { /* no call has ended: there is no shortest one */
		json_null(json, "call_ns");
		return;
	}
	json_begin_object(json, "call_ns");
	json_ticks(json, profile, "min", numbers->min_ticks);
	json_ticks(json, profile, "max", numbers->max_ticks);
	json_ticks(json, profile, "p50", numbers->p50_ticks);
	json_ticks(json, profile, "p90", numbers->p90_ticks);
	json_ticks(json, profile, "p99", numbers->p99_ticks);
	json_end_object(json);
}

void numbers_csv(FILE *out, const struct profile *profile, const struct call_numbers *numbers)
{
	const uint64_t times[] = { numbers->self_ticks, numbers->total_ticks, numbers->span_ticks, numbers->min_ticks,
				   numbers->p50_ticks, numbers->p90_ticks, numbers->p99_ticks, numbers->max_ticks };
	enum { NOT_OF_CALLS = 3 };

	fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64, numbers->calls, numbers->open, numbers->repaired);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		fputc(',', out);
		if (times[i] != CALL_TICKS_UNKNOWN && (i < NOT_OF_CALLS || numbers->calls > numbers->open))
			fprintf(out, "%" PRIu64, profile_ns(profile, times[i]));
	}
}

void metrics_csv_header(FILE *out, uint32_t recorded)
{
	for (int m = 0; m < NR_METRICS; m++) {
		bool by = METRICS_BLOCKED_BY & 1u << m;

		if (recorded & 1u << m)
			fprintf(out, ",%s%s%s_self,%s%s%s_total", by ? "blocked_" : "", call_metric_infos[m].key, by ? "_ns" : "", by ? "blocked_" : "",
				call_metric_infos[m].key, by ? "_ns" : "");
	}
}

void metrics_csv(FILE *out, uint32_t recorded, const struct call_metrics *metrics)
{
	for (int m = 0; m < NR_METRICS; m++) {
		if (!(recorded & 1u << m))
			continue;
		if (!metrics)
			fputs(",,", out);
		else if (m == METRIC_UNEXPLAINED)
			fprintf(out, ",%" PRId64 ",%" PRId64, (int64_t)metrics->self[m], (int64_t)metrics->total[m]);
		else
			fprintf(out, ",%" PRIu64 ",%" PRIu64, metrics->self[m], metrics->total[m]);
	}
}

void csv_text(FILE *out, const char *text)
{
	if (!text)
		return;
	if (!text[strcspn(text, ",\"\r\n")]) {
		for (; *text; text++)
			fputc((unsigned char)*text < 0x20 ? '?' : *text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc((unsigned char)*text < 0x20 && *text != '\n' ? '?' : *text, out);
	}
	fputc('"', out);
}
