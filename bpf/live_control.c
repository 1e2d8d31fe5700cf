/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_control.h. */
#include "live_control.h"

#include <string.h>

const char live_control_keys[] = "1-7 view  <> sort  r reverse  g group  t total  / filter  space freeze  h help  q quit";
const char *const live_control_help[] = {
	"1 2 3 ... or Tab     the view",
	"< > or arrows        the column that rows are sorted by (marked *)",
	"r                    smallest first, and back",
	"g                    rows are functions, call paths, processes",
	"t                    numbers since the start, or of the last window",
	"/                    only what contains a text, in the name, a caller's or the process; Enter keeps it, Escape goes back",
	"space or f           freeze: the numbers stay while you look; recording goes on",
	"up down PgUp PgDn    scroll",
	"q                    leave; a program that was launched runs on and is recorded to its end",
	NULL
};

void live_control_init(struct live_control *control)
{
	*control = (struct live_control){ .page = 10 };
	control->choice.sorted = live_views[0].sorted;
}

static void set_view(struct live_control *control, unsigned view)
{
	control->choice.view = view;
	control->choice.sorted = live_views[view].sorted;
	control->choice.upward = false;
	control->scroll = 0;
}

static void sort_by(struct live_control *control, int step)
{
	unsigned columns = live_view_columns(&live_views[control->choice.view]);

	if (!columns)
		return;
	control->choice.sorted = (control->choice.sorted + (unsigned)((int)columns + step)) % columns;
	control->scroll = 0;
}

static void edit(struct live_control *control, uint32_t key)
{
	size_t used = strlen(control->filter);

	if (key == LIVE_KEY_ENTER) {
		control->editing = false;
	} else if (key == LIVE_KEY_ESCAPE) {
		memcpy(control->filter, control->filter_before, sizeof control->filter);
		control->editing = false;
	} else if (key == LIVE_KEY_BACKSPACE && used) {
		control->filter[used - 1] = '\0';
	} else if (key >= ' ' && key < 0x7F && used + 1 < sizeof control->filter) {
		control->filter[used] = (char)key;
		control->filter[used + 1] = '\0';
	}
	control->scroll = 0;
}

static void scroll(struct live_control *control, uint32_t key)
{
	size_t step = key == LIVE_KEY_PAGE_UP || key == LIVE_KEY_PAGE_DOWN ? control->page : 1;

	if (key == LIVE_KEY_HOME)
		control->scroll = 0;
	else if (key == LIVE_KEY_END)
		control->scroll = SIZE_MAX; /* the drawer knows the last row */
	else if (key == LIVE_KEY_UP || key == LIVE_KEY_PAGE_UP)
		control->scroll -= control->scroll < step ? control->scroll : step;
	else
		control->scroll += control->scroll > SIZE_MAX - step ? 0 : step;
}

void live_control_key(struct live_control *control, uint32_t key)
{
	if (control->editing) {
		edit(control, key);
		control->choice.filter = control->filter;
		return;
	}
	control->help = key == 'h' || key == '?' ? !control->help : key == LIVE_KEY_RESIZE && control->help;
	if (key > '0' && key <= '0' + nr_live_views) {
		set_view(control, key - '1');
		return;
	}
	switch (key) {
	case '\t':
		set_view(control, (control->choice.view + 1) % nr_live_views);
		break;
	case '<':
	case LIVE_KEY_LEFT:
		sort_by(control, -1);
		break;
	case '>':
	case LIVE_KEY_RIGHT:
		sort_by(control, 1);
		break;
	case 'r':
		control->choice.upward = !control->choice.upward;
		break;
	case 'g':
		control->choice.group = (control->choice.group + 1) % LIVE_GROUPS;
		control->scroll = 0;
		break;
	case 't':
		control->choice.total = !control->choice.total;
		break;
	case '/':
		memcpy(control->filter_before, control->filter, sizeof control->filter);
		control->editing = true;
		break;
	case ' ':
	case 'f':
		control->frozen = !control->frozen;
		break;
	case 'q':
		control->quit = true;
		break;
	case LIVE_KEY_UP:
	case LIVE_KEY_DOWN:
	case LIVE_KEY_PAGE_UP:
	case LIVE_KEY_PAGE_DOWN:
	case LIVE_KEY_HOME:
	case LIVE_KEY_END:
		scroll(control, key);
		break;
	case LIVE_KEY_ESCAPE: /* the filter goes */
		control->filter[0] = '\0';
		control->choice.filter = control->filter;
		break;
	default:
		break;
	}
}
