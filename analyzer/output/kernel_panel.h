/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far the kernel half of a run may be believed: what was recorded, what was lost, whether each thread's wall time adds up, samples against time on the
 * processor, what could be attributed, and what the recording cost. Part of overview, info and of every report that shows kernel data.
 */
#ifndef CPROF_KERNEL_PANEL_H
#define CPROF_KERNEL_PANEL_H

#include "json_writer.h"
#include "profile.h"
#include "text_style.h"

/* Nothing where there is no kernel half. */
void kernel_panel_text(FILE *out, const struct text_style *style, const struct profile *profile);
/* As value of key; absent where there is none. */
void kernel_panel_json(struct json_writer *json, const char *key, const struct profile *profile);

#endif
