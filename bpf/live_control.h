/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys of --live do. Pure: a key and the state in, the state out. */
#ifndef CPROF_LIVE_CONTROL_H
#define CPROF_LIVE_CONTROL_H

#include "live_rows.h"

enum live_key_code { /* beside characters */
		     LIVE_KEY_UP = 0x110000,
		     LIVE_KEY_DOWN,
		     LIVE_KEY_LEFT,
		     LIVE_KEY_RIGHT,
		     LIVE_KEY_PAGE_UP,
		     LIVE_KEY_PAGE_DOWN,
		     LIVE_KEY_HOME,
		     LIVE_KEY_END,
		     LIVE_KEY_BACKSPACE,
		     LIVE_KEY_ENTER,
		     LIVE_KEY_ESCAPE,
		     LIVE_KEY_RESIZE,
};

struct live_control {
	struct live_choice choice;
	char filter[64], filter_before[64];
	bool editing;                /* keys go into the filter */
	bool frozen, help, quit;
	size_t scroll;               /* first row shown */
	size_t page;                 /* rows that fit; the drawer says it */
};

void live_control_init(struct live_control *control);
void live_control_key(struct live_control *control, uint32_t key);
extern const char live_control_keys[]; /* one line */
extern const char *const live_control_help[]; /* lines, ended by NULL */

#endif
