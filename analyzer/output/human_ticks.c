/* SPDX-License-Identifier: BSD-2-Clause */
#include "human_ticks.h"

#include "profile.h"

struct human_text human_ticks(const struct profile *profile, uint64_t ticks)
{
	static const char *const units[4] = { "t", "kt", "Mt", "Gt" };

	return profile->info.clock_hz > 0 ? human_ns(profile_ns(profile, ticks)) : human_scaled(ticks, units);
}
