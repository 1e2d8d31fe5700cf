/* SPDX-License-Identifier: BSD-2-Clause */
/* See guest_library.h. */
#include "guest_library.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { HEADERS_MAX = 64 };

bool guest_program_find(const char *name, char *ret)
{
	const char *list = getenv("PATH");

	if (strchr(name, '/'))
		return snprintf(ret, PATH_MAX, "%s", name) < PATH_MAX && access(ret, R_OK) == 0;
	for (list = list ? list : "/bin:/usr/bin"; *list; list += strspn(list, ":")) {
		size_t length = strcspn(list, ":");
		int written = snprintf(ret, PATH_MAX, "%.*s/%s", (int)length, list, name);

		if (written > 0 && written < PATH_MAX && access(ret, X_OK) == 0 && access(ret, R_OK) == 0)
			return true;
		list += length;
	}
	return false;
}

bool guest_library_find(const char *name, char *ret)
{
	static const char *const folders[] = { "/../runtime", "/../lib/x86_64-linux-gnu", "/../lib", "/../lib64" };
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	ret[0] = '\0';
	if (length <= 0)
		return false;
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[PATH_MAX + 64];

		snprintf(path, sizeof path, "%s%s/%s", self, folders[i], name);
		if (realpath(path, ret) && !strpbrk(ret, ": ")) /* LD_PRELOAD's separators */
			return true;
	}
	ret[0] = '\0'; /* realpath leaves there how far it came */
	return false;
}

/* The loader then takes no library from the environment (AT_SECURE). */
static bool is_privileged(int fd, const struct stat *facts)
{
	struct statvfs mount;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || (fstatvfs(fd, &mount) == 0 && mount.f_flag & ST_NOSUID))
		return false;
	return (facts->st_mode & S_ISUID && facts->st_uid != getuid()) || (facts->st_mode & S_ISGID && facts->st_gid != getgid()) ||
	       (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0);
}

/* NULL: nothing speaks against it. */
static const char *refusal_of_headers(int fd, const Elf64_Ehdr *elf)
{
	Elf64_Phdr headers[HEADERS_MAX];
	size_t bytes = elf->e_phnum * sizeof *headers;

	if (elf->e_phentsize != sizeof *headers || !elf->e_phnum || elf->e_phnum > HEADERS_MAX ||
	    pread(fd, headers, bytes, (off_t)elf->e_phoff) != (ssize_t)bytes)
		return NULL; /* the kernel will say what it thinks of it */
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		char loader[256] = "";
		size_t length = headers[i].p_filesz < sizeof loader - 1 ? headers[i].p_filesz : sizeof loader - 1;

		if (headers[i].p_type != PT_INTERP)
			continue;
		if (pread(fd, loader, length, (off_t)headers[i].p_offset) != (ssize_t)length)
			return NULL;
		return strstr(loader, "/ld-linux") ? NULL : "the program's loader is not glibc's: nothing of ours can be preloaded; needs BPF";
	}
	return "the program is static: nothing can be preloaded; needs BPF";
}

static const char *refusal_of(int fd)
{
	struct stat facts;
	Elf64_Ehdr elf;

	if (fstat(fd, &facts) || !S_ISREG(facts.st_mode))
		return NULL;
	if (is_privileged(fd, &facts))
		return "the program takes other rights: nothing can be preloaded; needs BPF";
	if (pread(fd, &elf, sizeof elf, 0) != sizeof elf || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL; /* a script: its interpreter will load it */
	if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != EM_X86_64)
		return "the program is for another machine: nothing of ours can be preloaded; needs BPF";
	return refusal_of_headers(fd, &elf);
}

struct cprof_error *guest_library_check(const char *program)
{
	char path[PATH_MAX];
	const char *refusal = NULL;
	int fd = guest_program_find(program, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (fd >= 0) {
		refusal = refusal_of(fd);
		close(fd);
	}
	return refusal ? cprof_error_create(CPROF_ERROR_UNSUPPORTED, "%s", refusal) : NULL;
}

static void put_before(const char *variable, const char *text)
{
	const char *old = getenv(variable);
	size_t bytes = strlen(text) + (old ? strlen(old) : 0) + 2;
	char *list = malloc(bytes);

	if (!list)
		return;
	snprintf(list, bytes, "%s%s%s", text, old && *old ? ":" : "", old ? old : "");
	setenv(variable, list, 1);
	free(list);
}

void guest_library_preload(const char *path)
{
	put_before("LD_PRELOAD", path);
	/* AddressSanitizer ends a program in which another library comes before its own; it works all the same. What the user said comes after it, and wins. */
	put_before("ASAN_OPTIONS", "verify_asan_link_order=0");
}
