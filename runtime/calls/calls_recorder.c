/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_recorder [OPTION...] -- PROGRAM ARGUMENT...: a recorder for tests. Makes the memory of format/calls_table.h, runs the program with
 * libcprof-calls.so, whose path is in CALLS_LIBRARY, and then prints all that is in the memory, a JSON object per line. Its own exit status
 * is the program's.
 *
 * --rows=N --files=N --records=N --processes=N: places; --threshold-ns=N: of both sources (0: every call is recorded); --sources=N;
 * --by-path: no descriptor is inherited; --both; --out=FILE; --broken=WHAT: the memory is not what it should be (magic, version, rows,
 * files, records, size, seal).
 * --foreign: says that it is of another pid namespace. On SIGUSR1 it ends the recording, and says so by SIGUSR2.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls_table.h"

static FILE *out;
static struct cprof_calls_header *header;

static void stop(int number, siginfo_t *from, void *context)
{
	(void)number;
	(void)context;
	header->stopped_ns = 1;
	kill(from->si_pid, SIGUSR2);
}

static uint64_t option(const char *text, const char *name, uint64_t otherwise)
{
	size_t length = strlen(name);

	return strncmp(text, name, length) == 0 ? strtoull(text + length, NULL, 10) : otherwise;
}

static void fail(const char *what)
{
	perror(what);
	exit(99);
}

static void layout(struct cprof_calls_header *wanted)
{
	struct stat facts;

	wanted->rows_at = (sizeof *wanted + 255) & ~255ull;
	wanted->files_at = wanted->rows_at + wanted->nr_rows * sizeof(struct cprof_calls_row);
	wanted->records_at = wanted->files_at + wanted->nr_files * sizeof(struct cprof_calls_file);
	wanted->processes_at = wanted->records_at + wanted->nr_records * sizeof(struct cprof_calls_record);
	wanted->total_bytes = wanted->processes_at + wanted->nr_processes * sizeof(struct cprof_calls_process);
	wanted->magic = CPROF_CALLS_MAGIC;
	wanted->version = CPROF_CALLS_VERSION;
	if (!wanted->pid_namespace)
		wanted->pid_namespace = stat("/proc/self/ns/pid", &facts) ? 0 : facts.st_ino;
}

static struct cprof_calls_header *make(int fd, const struct cprof_calls_header *asked, const char *broken)
{
	struct cprof_calls_header wanted = *asked;

	layout(&wanted);
	if (ftruncate(fd, (off_t)wanted.total_bytes))
		fail("ftruncate");
	void *memory = mmap(NULL, wanted.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	if (!strcmp(broken, "magic"))
		wanted.magic++;
	else if (!strcmp(broken, "version"))
		wanted.version++;
	else if (!strcmp(broken, "rows"))
		wanted.rows_at = wanted.total_bytes - 8;
	else if (!strcmp(broken, "files"))
		wanted.nr_files = 3;
	else if (!strcmp(broken, "records"))
		wanted.nr_records = 0x80000000u;
	else if (!strcmp(broken, "size"))
		wanted.total_bytes += 4096;
	memcpy(memory, &wanted, sizeof wanted);
	if (strcmp(broken, "seal") != 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW))
		fail("F_ADD_SEALS");
	return memory;
}

static void print_text(const char *text, size_t most)
{
	fputc('"', out);
	for (size_t i = 0; i < most && text[i]; i++) {
		unsigned char byte = (unsigned char)text[i];

		fprintf(out, byte < ' ' || byte > '~' || byte == '"' || byte == '\\' ? "\\u%04x" : "%c", byte);
	}
	fputc('"', out);
}

static void print_who(const char *name, const struct cprof_who *who)
{
	fprintf(out, "\"%s\": {\"tgid\": %u, \"tid\": %u, \"context\": %u, \"generation\": %u, \"quality\": %u}, ", name, who->tgid,
		who->tid, who->context, who->generation, who->quality);
}

static void print_rows(void)
{
	const struct cprof_calls_row *rows = (const void *)((const char *)header + header->rows_at);

	for (uint32_t i = 0; i < header->nr_rows; i++) {
		const struct cprof_kernel_sum *sum = &rows[i].sum;
		uint64_t in_buckets = 0;

		if (!rows[i].ready)
			continue;
		for (uint32_t b = 0; b < CPROF_SUM_BUCKETS; b++)
			in_buckets += sum->value.histogram[b];
		fprintf(out, "{\"record\": \"sum\", ");
		print_who("who", &sum->key.who);
		fprintf(out,
			"\"kind\": %u, \"sub\": %u, \"object\": %" PRIu64 ", \"device\": %u, \"other\": %u, \"count\": %" PRIu64
			", \"ns\": %" PRIu64 ", \"max_ns\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"in_buckets\": %" PRIu64 "}\n",
			sum->key.kind, sum->key.sub, sum->key.object, sum->key.device, sum->key.other, sum->value.count, sum->value.ns,
			sum->value.max_ns, sum->value.bytes, in_buckets);
	}
}

static void print_files(void)
{
	const struct cprof_calls_file *files = (const void *)((const char *)header + header->files_at);

	for (uint32_t i = 0; i < header->nr_files; i++) {
		if (!files[i].ready)
			continue;
		fprintf(out, "{\"record\": \"file\", \"inode\": %" PRIu64 ", \"device\": %u, \"order\": %u, \"path\": ", files[i].inode,
			files[i].device, files[i].order);
		print_text(files[i].path, sizeof files[i].path);
		fprintf(out, "}\n");
	}
}

static void print_records(void)
{
	const struct cprof_calls_record *records = (const void *)((const char *)header + header->records_at);

	for (uint64_t number = header->records_tail; number < header->records_head; number++) {
		const struct cprof_calls_record *record = &records[number % header->nr_records];

		if (record->done != number + 1)
			continue;
		if (record->kind == CPROF_CALLS_IO) {
			fprintf(out, "{\"record\": \"io\", ");
			print_who("who", &record->io.who);
			fprintf(out,
				"\"time_ns\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"result\": %" PRId64 ", \"object\": %" PRIu64
				", \"device\": %u, \"sub\": %u, \"fd\": %d}\n",
				record->io.time_ns, record->io.duration_ns, record->io.result, record->io.file.inode, record->io.file.device,
				record->io.syscall, record->io.fd);
			continue;
		}
		fprintf(out, "{\"record\": \"lock\", ");
		print_who("who", &record->lock.who);
		print_who("holder", &record->lock.holder);
		fprintf(out,
			"\"time_ns\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"object\": %" PRIu64 ", \"ip\": %" PRIu64
			", \"result\": %d, \"class\": %u}\n",
			record->lock.time_ns, record->lock.duration_ns, record->lock.address, record->lock.ip, record->lock.result,
			record->lock.lock_class);
	}
}

static void print_all(void)
{
	const struct cprof_calls_process *processes = (const void *)((const char *)header + header->processes_at);

	print_rows();
	print_files();
	print_records();
	for (uint32_t i = 0; i < header->nr_processes; i++) {
		if (!processes[i].ready)
			continue;
		fprintf(out, "{\"record\": \"process\", \"pid\": %u, \"parent\": %u, \"name\": ", processes[i].pid, processes[i].parent);
		print_text(processes[i].name, sizeof processes[i].name);
		fprintf(out, "}\n");
	}
	fprintf(out, "{\"record\": \"losses\", \"rows_full\": %" PRIu64 ", \"files_full\": %" PRIu64 ", \"records_head\": %" PRIu64
		", \"records_lost\": %" PRIu64 ", \"processes_full\": %" PRIu64 ", \"foreign\": %" PRIu64 "}\n",
		header->rows_full, header->files_full, header->records_head, header->records_lost, header->processes_full, header->foreign);
}

int main(int argc, char **argv)
{
	struct cprof_calls_header wanted = { .sources = CPROF_CALLS_IO | CPROF_CALLS_LOCKS,
					     .nr_rows = 4096,
					     .nr_files = 1024,
					     .nr_records = 16384,
					     .nr_processes = 256,
					     .io_threshold_ns = UINT64_MAX,
					     .lock_threshold_ns = UINT64_MAX };
	const char *broken = "", *library = getenv("CALLS_LIBRARY"), *preload = getenv("CALLS_PRELOAD");
	bool by_path = false, both = false;
	char text[4096];
	int at, status;

	out = stdout;
	for (at = 1; at < argc && strcmp(argv[at], "--") != 0; at++) {
		wanted.nr_rows = (uint32_t)option(argv[at], "--rows=", wanted.nr_rows);
		wanted.nr_files = (uint32_t)option(argv[at], "--files=", wanted.nr_files);
		wanted.nr_records = (uint32_t)option(argv[at], "--records=", wanted.nr_records);
		wanted.nr_processes = (uint32_t)option(argv[at], "--processes=", wanted.nr_processes);
		wanted.sources = (uint32_t)option(argv[at], "--sources=", wanted.sources);
		wanted.io_threshold_ns = wanted.lock_threshold_ns = option(argv[at], "--threshold-ns=", wanted.io_threshold_ns);
		if (!strncmp(argv[at], "--broken=", 9))
			broken = argv[at] + 9;
		if (!strcmp(argv[at], "--by-path"))
			by_path = true;
		if (!strcmp(argv[at], "--both"))
			both = true;
		if (!strcmp(argv[at], "--foreign"))
			wanted.pid_namespace = 1;
		if (!strncmp(argv[at], "--out=", 6) && !(out = fopen(argv[at] + 6, "we")))
			fail(argv[at]);
	}
	if (at + 1 >= argc || !library) {
		fprintf(stderr, "usage: CALLS_LIBRARY=PATH calls_recorder [OPTION...] -- PROGRAM ARGUMENT...\n");
		return 2;
	}
	int made = memfd_create(CPROF_CALLS_NAME, MFD_ALLOW_SEALING | MFD_CLOEXEC), fd = fcntl(made, F_DUPFD_CLOEXEC, 200);

	header = make(fd, &wanted, broken);
	close(made);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_sigaction = stop, .sa_flags = SA_SIGINFO | SA_RESTART }, NULL);
	pid_t child = fork();
	if (!child) {
		if (by_path || both) {
			snprintf(text, sizeof text, "/proc/%d/fd/%d", getppid(), fd);
			setenv("CPROF_CALLS_PATH", text, 1);
		}
		if (!by_path) {
			snprintf(text, sizeof text, "%d", fd);
			setenv("CPROF_CALLS_FD", text, 1);
			fcntl(fd, F_SETFD, 0);
		}
		snprintf(text, sizeof text, "%s%s%s", library, preload ? ":" : "", preload ? preload : "");
		setenv("LD_PRELOAD", text, 1);
		execvp(argv[at + 1], argv + at + 1);
		fail(argv[at + 1]);
	}
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	if (strcmp(broken, "") != 0) { /* where what might be in it lies is not what it says */
		layout(&wanted);
		memcpy(header, &wanted, offsetof(struct cprof_calls_header, rows_full));
	}
	print_all();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
