/* SPDX-License-Identifier: BSD-2-Clause */
/* Element 0 of the slots: the recorder's word to the processes that it records. */
#ifndef CPROF_SLOTS_HEADER_H
#define CPROF_SLOTS_HEADER_H

#include <stddef.h>

#include "error.h"
#include "slots.h"

struct slots_header {
	struct cprof_slots_header *at; /* NULL: not mapped */
	size_t bytes;
};

struct cprof_error *slots_header_open(int map, uint32_t slots, const uint8_t *session, uint64_t now_ns, struct slots_header *ret) CPROF_MUST_CHECK;
void slots_header_beat(struct slots_header *header, uint64_t now_ns);
void slots_header_stop(struct slots_header *header, uint64_t now_ns);
void slots_header_close(struct slots_header *header);

#endif
