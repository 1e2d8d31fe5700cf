/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of a trace, in its own ticks, as people read them. */
#ifndef CPROF_HUMAN_TICKS_H
#define CPROF_HUMAN_TICKS_H

#include "human.h"

struct profile;

struct human_text human_ticks(const struct profile *profile, uint64_t ticks); /* as ns, or "1.234 Mt" where the clock's rate is unknown */

#endif
