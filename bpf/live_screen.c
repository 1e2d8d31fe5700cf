/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_screen.h. */
#include "live_screen.h"

#include <stdlib.h>

#ifdef CPROF_HAVE_NCURSES
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct live_screen {
	SCREEN *terminal;
	FILE *out;
	bool colors;
};

enum { PAIR_BAD = 1 };

struct live_screen *live_screen_create(FILE *out, FILE *in)
{
	struct live_screen *screen = calloc(1, sizeof *screen);

	if (!screen)
		return NULL;
	screen->out = out;
	screen->terminal = newterm(NULL, out, in);
	if (!screen->terminal) {
		free(screen);
		return NULL;
	}
	set_term(screen->terminal);
	set_escdelay(25);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	if (has_colors() && start_color() == OK && use_default_colors() == OK)
		screen->colors = init_pair(PAIR_BAD, COLOR_RED, -1) == OK;
	return screen;
}

void live_screen_destroy(struct live_screen *screen)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen->terminal);
	free(screen);
}

/* Asked for each time, so that a change is never missed, however its signal went. */
void live_screen_size(struct live_screen *screen, unsigned *width, unsigned *height)
{
	struct winsize size;

	if (!ioctl(fileno(screen->out), TIOCGWINSZ, &size) && size.ws_col && size.ws_row && (size.ws_col != COLS || size.ws_row != LINES)) {
		resizeterm(size.ws_row, size.ws_col);
		clearok(stdscr, TRUE);
	}
	*width = (unsigned)COLS;
	*height = (unsigned)LINES;
}

static chtype attributes(const struct live_screen *screen, enum live_line_kind kind)
{
	switch (kind) {
	case LIVE_LINE_TITLE:
		return A_BOLD;
	case LIVE_LINE_HEAD:
		return A_REVERSE;
	case LIVE_LINE_DIM:
		return A_DIM;
	case LIVE_LINE_BAD:
		return A_BOLD | (screen->colors ? (chtype)COLOR_PAIR(PAIR_BAD) : 0);
	case LIVE_LINE_PLAIN:
		break;
	}
	return A_NORMAL;
}

void live_screen_draw(struct live_screen *screen, const struct live_page *page)
{
	erase();
	for (size_t i = 0; i < page->count && i < (size_t)LINES; i++) {
		chtype look = attributes(screen, page->lines[i].kind);

		attrset((int)look);
		move((int)i, 0);
		if (look & A_REVERSE)
			hline(' ' | look, COLS);
		addnstr(page->lines[i].text, -1);
	}
	attrset(A_NORMAL);
	refresh();
}

bool live_screen_key(struct live_screen *screen, uint32_t *key)
{
	static const struct {
		int code;
		uint32_t key;
	} codes[] = {
		{ KEY_UP, LIVE_KEY_UP },         { KEY_DOWN, LIVE_KEY_DOWN },     { KEY_LEFT, LIVE_KEY_LEFT },
		{ KEY_RIGHT, LIVE_KEY_RIGHT },   { KEY_PPAGE, LIVE_KEY_PAGE_UP }, { KEY_NPAGE, LIVE_KEY_PAGE_DOWN },
		{ KEY_HOME, LIVE_KEY_HOME },     { KEY_END, LIVE_KEY_END },       { KEY_BACKSPACE, LIVE_KEY_BACKSPACE },
		{ 0x7F, LIVE_KEY_BACKSPACE },    { 0x08, LIVE_KEY_BACKSPACE },    { KEY_ENTER, LIVE_KEY_ENTER },
		{ '\r', LIVE_KEY_ENTER },        { '\n', LIVE_KEY_ENTER },        { 0x1B, LIVE_KEY_ESCAPE },
		{ KEY_RESIZE, LIVE_KEY_RESIZE },
	};
	int code = getch();

	(void)screen;
	if (code == ERR)
		return false;
	*key = code < 0x100 ? (uint32_t)code : 0;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == code)
			*key = codes[i].key;
	return true;
}

#else

struct live_screen *live_screen_create(FILE *out, FILE *in)
{
	(void)out;
	(void)in;
	return NULL;
}

void live_screen_destroy(struct live_screen *screen)
{
	(void)screen;
}

void live_screen_size(struct live_screen *screen, unsigned *width, unsigned *height)
{
	(void)screen;
	*width = *height = 0;
}

void live_screen_draw(struct live_screen *screen, const struct live_page *page)
{
	(void)screen;
	(void)page;
}

bool live_screen_key(struct live_screen *screen, uint32_t *key)
{
	(void)screen;
	(void)key;
	return false;
}
#endif
