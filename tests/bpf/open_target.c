/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads that wait for ever: one reads a pipe, one waits for a semaphore. They begin when the file "go" is there; when both are seen asleep in the
 * kernel, the file "asleep" is made. Until it is killed. For open_test.sh.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static sem_t semaphore;
static int ends[2];
static atomic_int reader, sleeper;

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

static void await_file(const char *name)
{
	while (access(name, F_OK))
		nap();
}

static void read_for_ever(void)
{
	char byte;

	if (read(ends[0], &byte, 1) == 1)
		abort();
}

static void wait_for_ever(void)
{
	sem_wait(&semaphore);
}

static void *run_reader(void *unused)
{
	await_file("go");
	atomic_store(&reader, (int)syscall(SYS_gettid));
	read_for_ever();
	return unused;
}

static void *run_sleeper(void *unused)
{
	await_file("go");
	atomic_store(&sleeper, (int)syscall(SYS_gettid));
	wait_for_ever();
	return unused;
}

static void await_call(const atomic_int *thread, int number)
{
	char path[64], text[64];

	for (;; nap()) {
		snprintf(path, sizeof path, "/proc/self/task/%d/syscall", atomic_load(thread));
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

		if (fd >= 0)
			close(fd);
		text[got > 0 ? got : 0] = '\0';
		if (text[0] >= '0' && text[0] <= '9' && atoi(text) == number)
			return;
	}
}

int main(void)
{
	pthread_t threads[2];

	if (pipe(ends) || sem_init(&semaphore, 0, 0) || pthread_create(&threads[0], NULL, run_reader, NULL) ||
	    pthread_create(&threads[1], NULL, run_sleeper, NULL))
		return 1;
	await_file("go");
	await_call(&reader, SYS_read);
	await_call(&sleeper, SYS_futex);
	if (creat("asleep", 0600) < 0)
		return 1;
	for (;;)
		nap();
}
