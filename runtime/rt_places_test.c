/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places that are not like home: full and read-only disks, no /proc, no threads allowed, programs that run with somebody else's rights.
 *
 * The promises are those of rt_faults_test. Needs root, or user namespaces: what cannot be set up is skipped and says so. rt_places_test PROGRAM
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "rt_faults_support.h"

enum { NOBODY = 65534 };

static bool can_mount;
static char disk[128], disk_trace[160];

static bool mount_disk(size_t kib)
{
	char size[64];

	clear();
	snprintf(disk, sizeof disk, "%s.disk", run_folder);
	snprintf(disk_trace, sizeof disk_trace, "%s/trace.lz4", disk);
	snprintf(size, sizeof size, "size=%zuk,mode=0777", kib);
	mkdir(disk, 0700);
	if (!can_mount || mount("cprof-test", disk, "tmpfs", 0, size))
		return false;
	setenv("CPROF_OUTPUT", disk_trace, 1);
	return true;
}

static void unmount_disk(void)
{
	umount2(disk, MNT_DETACH);
	rmdir(disk);
}

static void test_full_disk(void **state)
{
	unsigned said = 0, runs = 0;
	char what[64];

	(void)state;
	for (size_t kib = 4; kib <= 24 << 10; kib = kib * 3 / 2 + 4, runs++) {
		if (!mount_disk(kib)) {
			rmdir(disk);
			skip();
		}
		snprintf(what, sizeof what, "a disk of %zu KiB", kib);
		bool line = check(what, run_program(&(struct place){ .limit = -1 }), disk_trace, true);
		if (line && !strstr(file_text("stderr"), "no space left on device"))
			fail_msg("%s: cprof said: %s", what, file_text("stderr"));
		said += line;
		unmount_disk();
	}
	print_message("%u disks, %u of them too small\n", runs, said);
	assert_in_range(said, 1, runs - 1); /* the largest is large enough, the smallest is not */
}

static void test_read_only_disk(void **state)
{
	(void)state;
	if (!mount_disk(4096) || mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL)) {
		unmount_disk();
		skip();
	}
	assert_true(check("a read-only disk", run_program(&(struct place){ .limit = -1 }), disk_trace, true));
	assert_non_null(strstr(file_text("stderr"), "read-only file system"));
	unmount_disk();
}

static void hide_proc(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("cprof-test", "/proc", "tmpfs", 0, NULL))
		_exit(126);
}

static void test_no_proc(void **state)
{
	(void)state;
	if (!can_mount)
		skip();
	clear();
	check("no /proc", run_program(&(struct place){ .limit = -1, .prepare = hide_proc }), "trace.lz4", false);
	assert_string_equal(file_text("stderr"), "");
}

/* clone is what the runtime uses; the program's own threads come from clone3. */
static void forbid_clone(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof code / sizeof *code, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		_exit(126);
}

/* The program's threads write out what they recorded themselves: nothing is missing, nothing is said. */
static void test_no_thread(void **state)
{
	(void)state;
	clear();
	check("no thread may be made", run_program(&(struct place){ .limit = -1, .prepare = forbid_clone }), "trace.lz4", false);
	assert_string_equal(file_text("stderr"), "");
	struct trace_counts *counts = run_read("trace.lz4");
	assert_true(counts->clean);
	trace_counts_destroy(counts);
}

static void wide_open(void)
{
	umask(0);
}

static void assert_mode(const char *path)
{
	struct stat st;

	assert_return_code(stat(path, &st), errno);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_modes(void **state)
{
	int finish[2], status;

	(void)state;
	clear();
	check("umask 0", run_program(&(struct place){ .limit = -1, .prepare = wide_open }), "trace.lz4", false);
	assert_mode("trace.lz4");

	clear();
	assert_return_code(pipe2(finish, O_CLOEXEC), errno);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (!pid) {
		umask(0);
		dup2(open("/dev/null", O_WRONLY), 1);
		dup2(finish[0], 0);
		execl(program, program, "wait", (char *)NULL);
		_exit(127);
	}
	close(finish[0]);
	for (int tries = 0; tries < 3000 && access("trace.lz4.live", F_OK); tries++)
		usleep(10000);
	assert_mode("trace.lz4.live");
	close(finish[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, PROGRAM_STATUS);
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(126);
}

static void copy_program(const char *to)
{
	static char bytes[1 << 16];
	int in = open(program, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t got;

	while ((got = read(in, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(out, bytes, (size_t)got), got);
	close(in);
	close(out);
}

/* A program with more rights than its user: the user's CPROF_* are ignored and nothing is written. Without the extra rights it records. */
static void privileged(mode_t mode, gid_t group, void (*prepare)(void))
{
	char path[512], copy[256];

	snprintf(path, sizeof path, "%s", program);
	for (int extra = 0; extra < 2; extra++) {
		clear();
		assert_return_code(chmod(run_folder, 0777), errno);
		snprintf(copy, sizeof copy, "%s/copy", run_folder);
		copy_program(copy);
		assert_return_code(chown(copy, 0, group), errno);
		assert_return_code(chmod(copy, extra ? mode : 0755), errno);
		setenv("CPROF_OUTPUT", "trace.lz4", 1);
		setenv("CPROF_LOG", "log", 1);
		snprintf(program, sizeof program, "%s", copy);
		int status = run_program(&(struct place){ .limit = -1, .prepare = prepare });
		snprintf(program, sizeof program, "%s", path);
		if (!extra && status == 127 << 8)
			skip(); /* nobody may not read where this was built */
		assert_int_equal(status, PROGRAM_STATUS);
		assert_string_equal(file_text("stdout"), expected);
		assert_string_equal(file_text("stderr"), "");
		assert_int_equal(access("trace.lz4", F_OK), extra ? -1 : 0);
		assert_int_equal(access("trace.lz4.live", F_OK), -1);
		assert_int_equal(access("log", F_OK), -1);
	}
}

static bool has_extra_rights(void)
{
	struct statvfs place;

	return !geteuid() && !statvfs(run_folder, &place) && !(place.f_flag & ST_NOSUID);
}

static void test_setgid(void **state)
{
	(void)state;
	if (!has_extra_rights())
		skip();
	privileged(02755, NOBODY, NULL);
}

static void test_setuid(void **state)
{
	(void)state;
	if (!has_extra_rights())
		skip();
	privileged(04755, 0, become_nobody);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_read_only_disk),
		cmocka_unit_test(test_no_proc),
		cmocka_unit_test(test_no_thread),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_setgid),
		cmocka_unit_test(test_setuid),
	};

	if (argc != 2)
		return 2;
	faults_expect(argv[1]);
	can_mount = (!unshare(CLONE_NEWNS) || !unshare(CLONE_NEWUSER | CLONE_NEWNS)) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
