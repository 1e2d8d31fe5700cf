/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is right and wrong with a program that is to be recorded, each with what to do about it: a judgement of program_facts.
 *
 * A problem means that nothing (or nothing true) would be recorded; a warning that something would be missing.
 */
#ifndef CPROF_DOCTOR_FINDINGS_H
#define CPROF_DOCTOR_FINDINGS_H

#include "program_facts.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_PROBLEM };

struct doctor_finding {
	enum doctor_state state;
	const char *check;  /* one word: "runtime", "hooks", "libs", "objects", "frames", "lines", "symbols", "build-id" */
	char *text;         /* one line */
	const char *advice; /* what to do, or NULL */
};

struct doctor_findings {
	struct doctor_finding items[12];
	size_t count;
	bool fit; /* no problem among them */
};

/* max_objects: so many of the objects that are not instrumented are named. */
struct cprof_error *doctor_findings_make(const struct program_facts *facts, size_t max_objects, struct doctor_findings *ret) CPROF_MUST_CHECK;
void doctor_findings_deinit(struct doctor_findings *findings);

#endif
