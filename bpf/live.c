/* SPDX-License-Identifier: BSD-2-Clause */
/* See live.h. */
#include "live.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "live_allocs.h"
#include "live_names.h"
#include "live_output.h"
#include "live_page.h"
#include "live_screen.h"
#include "record_shared.h"
#include "session.h"

enum { TEXT_ROWS = 10, TERMINAL_ROWS = 5 }; /* of each view, where all are printed */

struct live {
	const struct record_args *args;
	const struct source_state *sources;
	char *target;
	FILE *out;                   /* of the dashboard or the text */
	bool terminal;               /* both ends are one, and it is wanted */
	bool launched;
	struct live_output output;
	struct record_observer observer;
	struct live_model model;     /* of the draining thread alone */
	uint64_t start_ns, seen_cpu_ns, seen_ns;
	int wake;                    /* eventfd: there is a snapshot, or the end has come */
	bool running;
	pthread_t thread;

	pthread_mutex_t mutex;       /* of the five below */
	struct live_snapshot pending;
	struct live_status pending_status;
	bool has_pending, stop;
	bool over;                   /* the drawing thread does nothing any more */

	/* Of the drawing thread. */
	struct live_names *names;
	struct live_allocs allocs;
	struct live_screen *screen;
	struct live_control control, final; /* final: as it was at the start, but for all the time */
	struct live_snapshot newest, shown;
	struct live_status newest_status, shown_status;
	bool has_newest, has_shown;
	bool failed;                 /* nobody reads what we print */
};

/* --- the draining thread --- */

static void observe_record(void *context, uint32_t kind, const void *record, size_t bytes)
{
	struct live_model *model = &((struct live *)context)->model;

	if (kind == RING_SAMPLE && bytes >= sizeof(struct cprof_kernel_sample))
		live_model_sample(model, record);
	else if (kind == RING_IO && bytes >= sizeof(struct cprof_kernel_io))
		live_model_io(model, record);
	else if (kind == RING_BLOCK && bytes >= sizeof(struct cprof_kernel_block))
		live_model_block(model, record);
	else if (kind == RING_PROCESS && bytes >= sizeof(struct cprof_kernel_process))
		live_model_process(model, record);
	else if (kind == RING_STACK && bytes >= sizeof(struct cprof_kernel_stack))
		live_model_stack(model, record, bytes);
	else if (kind == RING_FILE && bytes >= sizeof(struct cprof_kernel_file))
		live_model_file(model, record, bytes);
}

static void observe_sum(void *context, const struct cprof_kernel_sum *sum)
{
	live_model_sum(&((struct live *)context)->model, sum);
}

static void observe_modules(void *context, uint32_t tgid, uint32_t generation, const struct cprof_module *modules, size_t count)
{
	live_model_modules(&((struct live *)context)->model, tgid, generation, modules, count);
}

static void wake(const struct live *live)
{
	uint64_t one = 1;

	while (write(live->wake, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

/* While the last snapshot has not been fetched, the window goes on: nothing is lost, it only gets longer. */
static void observe_window(void *context, const struct record_window *window)
{
	struct live *live = context;

	pthread_mutex_lock(&live->mutex);
	if (!live->over && !live->has_pending && live_model_take(&live->model, window->now_ns, &live->pending)) {
		live->pending_status = (struct live_status){ .target = live->target,
							     .sources = live->sources,
							     .elapsed_ns = window->now_ns - live->start_ns,
							     .lost = window->lost,
							     .own_cpu_ns = window->own_cpu_ns - live->seen_cpu_ns,
							     .own_wall_ns = window->now_ns - live->seen_ns,
							     .ended = window->ended,
							     .slow_exact = live->model.slow_exact };
		memcpy(live->pending_status.lost_most, window->lost_most, sizeof window->lost_most);
		live->has_pending = true;
		live->seen_cpu_ns = window->own_cpu_ns;
		live->seen_ns = window->now_ns;
		wake(live);
	}
	pthread_mutex_unlock(&live->mutex);
}

const struct record_observer *live_observer(struct live *live)
{
	return &live->observer;
}

const int *live_redirections(const struct live *live)
{
	return live->output.redirections;
}

bool live_is_over(struct live *live)
{
	sigset_t mask;

	pthread_mutex_lock(&live->mutex);
	bool over = live->over;
	pthread_mutex_unlock(&live->mutex);
	if (!over)
		return false;
	sigemptyset(&mask); /* the terminal is ours no more */
	sigaddset(&mask, SIGWINCH);
	sigaddset(&mask, SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	live_output_show(&live->output);
	return true;
}

/* --- the drawing thread --- */

static struct live_label label(void *context, const struct live_model *model, const struct live_key *key)
{
	return live_names_label(context, model, key);
}

static const char *text(void *context, uint32_t id)
{
	return live_names_text(context, id);
}

static void draw(struct live *live)
{
	struct live_namer namer = { live->names, label, text };
	struct text_style style = text_style_of(live->out, COLOR_NEVER, live->terminal ? 0 : TEXT_WIDTH_MAX);
	struct live_page page = { .lines = NULL };
	unsigned width = 0, height = 0;

	if (!live->has_shown)
		return;
	if (live->screen) {
		live_screen_size(live->screen, &width, &height);
		style.width = width;
	}
	live_page_make(&page, &style, height, live->terminal ? TERMINAL_ROWS : TEXT_ROWS, &live->shown, &live->shown_status, &namer,
		       &live->control);
	if (live->screen) {
		live_screen_draw(live->screen, &page);
	} else {
		for (size_t i = 0; i < page.count; i++)
			fprintf(live->out, "%s\n", page.lines[i].text);
		fputc('\n', live->out);
		live->failed |= fflush(live->out) != 0;
	}
	live_page_deinit(&page);
}

/* Into a snapshot that is nobody else's. */
static void add_allocations(struct live *live, struct live_model *model)
{
	const struct source_state *memory = record_source_state((struct source_state *)(uintptr_t)live->sources, "memory");

	if (!memory || !memory->on || !memory->elsewhere)
		return;
	for (size_t i = 0; i < model->processes.count; i++) {
		const struct live_process *process = live_table_at(&model->processes, i);
		uint32_t tgid = process->key.tgid, generation = process->key.generation;
		const struct trace_tables *tables;

		if (generation >= RECORD_NO_GENERATION || !live_allocs_is_wanted(&live->allocs, tgid, generation))
			continue;
		tables = live_names_tables(live->names, tgid, generation);
		if (tables)
			live_allocs_read(&live->allocs, tgid, generation, tables->allocs, tables->nr_allocs, tgid == live->args->pid,
					 process->flags & CPROF_KERNEL_PROCESS_EXITED);
	}
	live_allocs_apply(&live->allocs, model);
}

/* true: there is something new to draw. */
static bool fetch(struct live *live, bool *stop)
{
	struct live_snapshot fetched;
	bool any;

	pthread_mutex_lock(&live->mutex);
	any = live->has_pending;
	fetched = live->pending;
	live->newest_status = any ? live->pending_status : live->newest_status;
	live->has_pending = false;
	*stop = live->stop;
	pthread_mutex_unlock(&live->mutex);
	if (!any)
		return false;
	live_names_refresh(live->names, &fetched.model);
	add_allocations(live, &fetched.model);
	if (live->has_newest)
		live_snapshot_deinit(&live->newest);
	live->newest = fetched;
	live->has_newest = true;
	return true;
}

/* The newest becomes the one that is shown, unless that is frozen. */
static void advance(struct live *live)
{
	if (!live->has_newest || (live->control.frozen && live->has_shown))
		return;
	if (live->has_shown)
		live_snapshot_deinit(&live->shown);
	live->shown = live->newest;
	live->shown_status = live->newest_status;
	live->has_shown = true;
	live->has_newest = false;
}

static void draw_loop(struct live *live)
{
	struct pollfd fds[] = { { live->wake, POLLIN, 0 }, { live->screen ? STDIN_FILENO : -1, POLLIN, 0 } };
	bool stop = false;

	while (!stop && !live->control.quit && !live->failed) {
		uint64_t wakes;
		uint32_t key;
		bool changed;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents & POLLIN && read(live->wake, &wakes, sizeof wakes) < 0)
			break;
		if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) /* the terminal has gone */
			break;
		changed = fetch(live, &stop);
		while (live->screen && live_screen_key(live->screen, &key)) {
			live_control_key(&live->control, key);
			changed = true;
		}
		advance(live);
		if (changed && !stop) /* the rest of the last window is in the sums of all the time, which come after */
			draw(live);
	}
}

static void *draw_thread(void *context)
{
	struct live *live = context;
	sigset_t mask;

	sigemptyset(&mask); /* all others are the draining thread's */
	sigaddset(&mask, SIGWINCH);
	sigaddset(&mask, SIGTSTP);
	if (live->terminal)
		live->screen = live_screen_create(live->out, stdin);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	draw_loop(live);
	live_screen_destroy(live->screen);
	live->screen = NULL;
	live->control = live->final;
	advance(live);
	draw(live);
	pthread_mutex_lock(&live->mutex);
	live->over = true;
	pthread_mutex_unlock(&live->mutex);
	return NULL;
}

/* --- from beginning to end --- */

static char *describe_target(const struct record_args *args, char **command)
{
	char *described = NULL;
	size_t bytes;
	FILE *out;

	if (!command)
		return args->pid ? asprintf(&described, "process %u", (unsigned)args->pid) < 0 ? NULL : described : strdup("all processes");
	out = open_memstream(&described, &bytes);
	if (!out)
		return NULL;
	for (char **word = command; *word; word++)
		fprintf(out, "%s%s", word == command ? "" : " ", *word);
	return fclose(out) ? NULL : described;
}

struct cprof_error *live_create(const struct record_args *args, char **command, const struct source_state *sources, struct live **ret)
{
	struct live *live = calloc(1, sizeof *live);
	struct cprof_error *error;

	if (!live)
		return &cprof_enomem;
	setlocale(LC_CTYPE, "");
	live->args = args;
	live->sources = sources;
	live->launched = command != NULL;
	live->out = live->launched ? stderr : stdout; /* the program's own output stays clean */
	live->terminal = isatty(fileno(live->out)) && isatty(STDIN_FILENO);
	live->observer = (struct record_observer){ live, observe_record, observe_sum, observe_modules, observe_window };
	live->wake = -1;
	live->target = describe_target(args, command);
	pthread_mutex_init(&live->mutex, NULL);
	live_output_init(&live->output);
	live_control_init(&live->control);
	live->final = live->control;
	live->final.choice.total = true;
	live_model_init(&live->model, 0);
	live_allocs_init(&live->allocs);
	error = live->target ? live_names_create(args->output, &live->names) : &cprof_enomem;
	if (!error && live->terminal && live->launched)
		error = live_output_open(&live->output);
	if (!error)
		live->wake = eventfd(0, EFD_CLOEXEC);
	if (!error && live->wake < 0)
		error = cprof_error_os(errno, NULL, "make an event descriptor");
	if (error)
		live_destroy(live);
	else
		*ret = live;
	return error;
}

struct cprof_error *live_start(struct live *live, uint64_t start_ns)
{
	sigset_t mask, old;
	int result;

	live->start_ns = live->seen_ns = start_ns;
	live->model.start_ns = live->model.window_start_ns = start_ns;
	live->model.slow_exact = live->args->io_threshold_ns <= LIVE_SLOW_NS;
	sigfillset(&mask); /* the new thread gets none */
	pthread_sigmask(SIG_BLOCK, &mask, &old);
	result = pthread_create(&live->thread, NULL, draw_thread, live);
	if (!result && live->terminal) {
		sigaddset(&old, SIGWINCH);
		sigaddset(&old, SIGTSTP);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	live->running = !result;
	return result ? cprof_error_os(result, NULL, "make a thread") : NULL;
}

void live_stop(struct live *live)
{
	if (!live->running)
		return;
	live->running = false;
	pthread_mutex_lock(&live->mutex);
	live->stop = true;
	pthread_mutex_unlock(&live->mutex);
	wake(live);
	pthread_join(live->thread, NULL);
}

void live_destroy(struct live *live)
{
	if (!live)
		return;
	live_stop(live);
	live_output_show(&live->output);
	live_output_close(&live->output);
	if (live->has_pending)
		live_snapshot_deinit(&live->pending);
	if (live->has_newest)
		live_snapshot_deinit(&live->newest);
	if (live->has_shown)
		live_snapshot_deinit(&live->shown);
	live_model_deinit(&live->model);
	live_allocs_deinit(&live->allocs);
	live_names_destroy(live->names);
	pthread_mutex_destroy(&live->mutex);
	if (live->wake >= 0)
		close(live->wake);
	free(live->target);
	free(live);
}
