/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal of --live: draws pages, reads keys. Drawing only; used by one thread. Built with ncurses, else it never opens. */
#ifndef CPROF_LIVE_SCREEN_H
#define CPROF_LIVE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "live_page.h"

struct live_screen;

/* NULL: no such terminal, or built without ncurses. */
struct live_screen *live_screen_create(FILE *out, FILE *in);
void live_screen_destroy(struct live_screen *screen); /* the terminal is as it was */
void live_screen_size(struct live_screen *screen, unsigned *width, unsigned *height);
void live_screen_draw(struct live_screen *screen, const struct live_page *page);
bool live_screen_key(struct live_screen *screen, uint32_t *key); /* false: none is waiting */

#endif
