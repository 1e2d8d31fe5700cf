/* SPDX-License-Identifier: BSD-2-Clause */
/* What the file says about the recording itself: META and CLOCK, SOURCES, LOSSES, END. */
#ifndef CPROF_RECORD_REPORT_H
#define CPROF_RECORD_REPORT_H

#include "kernel_writer.h"
#include "record_programs.h"
#include "ring_drain.h"

struct record_tally {             /* counted on this side */
	const struct ring_drain *ring;
	uint64_t sums_received, slots_exhausted, kernel_addresses_unnamed, mappings_lost, modules_unread;
};

void record_report_meta(struct kernel_writer *writer, const uint8_t *session, char **command);
void record_report_clock(struct kernel_writer *writer);
void record_report_sources(struct kernel_writer *writer, const struct source_state *states);
/* What is lost altogether, and by which counter most of it. writer NULL: only that. */
struct record_losses {
	uint64_t sum, most;
	char most_name[40];
};
struct record_losses record_report_losses(struct kernel_writer *writer, const struct record_programs *programs, const struct record_tally *tally);
/* One counter of KERNEL_LOSSES; a loss is added to *lost as well. */
void record_report_counter(struct kernel_writer *writer, const char *name, uint64_t value, bool is_loss, uint64_t *lost);
void record_report_end(struct kernel_writer *writer, uint64_t start_ns, uint64_t end_ns);

#endif
