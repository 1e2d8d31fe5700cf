/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of calls_program: threads, handlers of signals, and processes of all kinds.
 */
#include "calls_program.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 4 };
static pthread_barrier_t readers;

static void *reader(void *argument)
{
	pthread_barrier_wait(&readers);
	reads(argument, 20 * READS); /* all add to one sum, for long enough to get into each other's way */
	return NULL;
}

void threads(void)
{
	pthread_t ids[THREADS];
	static struct tally each[THREADS];

	open_shared();
	pthread_barrier_init(&readers, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&ids[i], NULL, reader, &each[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	for (int i = 1; i < THREADS; i++) {
		each[0].of[SYS_pread64].count += each[i].of[SYS_pread64].count;
		each[0].of[SYS_pread64].bytes += each[i].of[SYS_pread64].bytes;
	}
	each[0].function = "reads";
	say("expect", &each[0]);
}

/* A handler's calls: of its own context, and, without hooks, of the very sum that what it struck adds to. */
static struct tally in_handler = { .function = "handler" }, in_reads;
static int handler_fd;
static volatile sig_atomic_t is_reading;

NOINLINE static void handler(int number)
{
	struct tally *tally = &in_handler;

	(void)number;
	CHECK(MOVED(SYS_write, write(handler_fd, "xy", 2)) == 2);
}

NO_HOOKS static void handler_entry(int number)
{
	struct tally *tally = &in_reads;
	int saved = errno;
	char byte;

	if (is_reading)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
	handler(number);
	errno = saved;
}

NOINLINE static void interrupted_reads(struct tally *tally, int times)
{
	char byte;

	is_reading = 1;
	for (int i = 0; i < times; i++)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
	is_reading = 0;
}

void signals(void)
{
	struct tally *tally = tally_of(0, "interrupted_reads");
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 20000 }, { 0, 20000 } };
	timer_t timer;

	open_shared();
	handler_fd = open("/dev/null", O_WRONLY);
	sigaction(SIGUSR1, &(struct sigaction) { .sa_handler = handler_entry, .sa_flags = SA_RESTART }, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	interrupted_reads(tally, 80 * READS);
	timer_delete(timer);
	tally->of[SYS_pread64].count += in_reads.of[SYS_pread64].count;
	tally->of[SYS_pread64].bytes += in_reads.of[SYS_pread64].bytes;
	say("expect", tally);
	say("expect", &in_handler);
	CHECK(in_handler.of[SYS_write].count > 100 && in_reads.of[SYS_pread64].count > 100);
}

/* A child of each kind reads, in its first call and in one below it. */
NOINLINE static void child_reads(const char *what)
{
	struct tally *tally = tally_of(1, "reads");
	char byte;

	CHECK(pread(shared_fd, &byte, 1, 0) == 1);
	reads(tally, 17);
	printf("expect-child %s %d count=17 bytes=17\n", what, (int)getpid());
	fflush(stdout);
}

void forks(void)
{
	int status;

	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	for (int kind = 0; kind < 3; kind++) {
		pid_t child = kind == 0 ? fork() : kind == 1 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!child) {
			child_reads(kind == 0 ? "fork" : kind == 1 ? "_Fork" : "clone");
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
}

void early(void)
{
	int status;
	char byte;

	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	pid_t child = fork();
	if (!child) {
		for (int i = 0; i < 3; i++)
			CHECK(pread(shared_fd, &byte, 1, 0) == 1);
		_exit(0);
	}
	printf("expect-child early %d count=3 bytes=3\n", (int)child);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

void vforks(void)
{
	int status;
	struct tally *tally = tally_of(0, "vforks");
	int fd = (int)DID(SYS_openat, open("data", O_RDWR | O_CREAT, 0600));
	volatile int child_fd = fd; /* of its own, but of its parent's process here */
	pid_t child = vfork();

	if (!child) {
		_exit(write(child_fd, "from the child", 14) == 14 && close(child_fd) == 0 ? 0 : 1);
	}
	MOVED(SYS_write, 14);
	DID(SYS_close, 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(!DID(SYS_close, close(fd)));
	say("expect", tally);
}

void execs(char **argv)
{
	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	execl(argv[0], argv[0], "exec2", NULL);
	wrong("exec", __FILE__, __LINE__);
}

void killed(void)
{
	open_shared();
	reads(tally_of(0, "reads"), 1000);
	say("expect", &tallies[0]);
	raise(SIGKILL);
}

/* Closes what it inherited and uses the number again; it and its children go on. */
void closes(char **argv)
{
	int number = atoi(getenv("CPROF_CALLS_FD")), status;
	struct tally *tally = tally_of(0, "reads");
	char text[32] = "";

	open_shared();
	reads(tally, 10);
	close(number);
	int own = open("own", O_RDWR | O_CREAT, 0600);
	CHECK(write(own, "mine", 4) == 4 && dup2(own, number) == number);
	reads(tally, 10);
	say("expect", tally);
	pid_t child = fork();
	if (!child) {
		execl(argv[0], argv[0], "exec2", NULL);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(pread(number, text, sizeof text, 0) == 4 && !strcmp(text, "mine"));
}
