#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cprof-cc with the real libcprof, from the build tree: does every way of linking leave a trace?
#
#   real_runtime_test.sh gcc|clang FOLDER-OF-CPROF-CC FOLDER-OF-LIBCPROF
set -eu

cc=$2/cprof-$1
real_cc=$1
library=$3/libcprof.so
unset CPROF_CC CPROF_CXX CPROF_WRAPPER CPROF_OUTPUT CPROF
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top"

echo 'int twice(int x); int twice(int x) { return 2 * x; }' >twice.c
echo 'int twice(int x); int main(void) { int s = 0; for (int i = 0; i < 10; i++) s += twice(i); return s != 90; }' >main.c

# traced NAME COMMAND...: the command leaves a trace
traced()
{
	name=$1
	shift
	rm -f trace.lz4
	"$@" || { echo "FAILED: $name: status $?" >&2; exit 1; }
	[ -s trace.lz4 ] || { echo "FAILED: $name left no trace" >&2; exit 1; }
}

"$cc" -O2 main.c twice.c -o app
traced "program" ./app
for kind in -static -static-pie; do
	"$cc" -O2 $kind main.c twice.c -o app
	traced "$kind" ./app
done
linker=
[ "$1" = gcc ] || linker=-fuse-ld=lld
for kind in '' -static; do
	# shellcheck disable=SC2086
	"$cc" -O2 -flto $linker $kind main.c twice.c -o app
	traced "-flto $kind" ./app
done
"$cc" -O2 main.c twice.c -lc -o app
traced "libc named before" ./app
# what the library stands in front of, called from objects behind it on the command line
cat >gates.c <<EOF
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
static ucontext_t here, there;
static char stack[65536];
static void visit(void) { swapcontext(&there, &here); }
int main(void)
{
	int status = 1;
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	makecontext(&there, visit, 0);
	swapcontext(&here, &there);
	pid_t child = fork();
	if (!child)
		_exit(unshare(0) + setns(-1, 0) != -1);
	waitpid(child, &status, 0);
	return status;
}
EOF
for kind in '' -static; do
	# shellcheck disable=SC2086
	"$cc" -O2 $kind gates.c -lc -o app
	traced "$kind libc named before, and gates" ./app
done
# Functions of the program's own that have these names: they are called, with what they take and give.
cat >own.c <<'EOF'
struct page { char *text; };
long unshare(struct page *page) { return (long)page->text + 1; }
int setns(int a, int b) { return a * b; }
EOF
cat >own_main.c <<'EOF'
struct page { char *text; };
long unshare(struct page *page);
int setns(int a, int b);
int main(void)
{
	struct page page = { (char *)0x123456789aL };
	return unshare(&page) != 0x123456789bL || setns(6, 7) != 42;
}
EOF
cat >own_wrap.c <<'EOF'
#define _GNU_SOURCE
#include <sched.h>
int __wrap_unshare(int flags);
int __wrap_unshare(int flags) { return flags + 1; }
int main(void) { return unshare(0) != 1; }
EOF
for kind in '' -static; do
	# shellcheck disable=SC2086
	"$cc" -O2 $kind own_main.c own.c -o app
	traced "$kind functions of its own called unshare and setns" ./app
	# shellcheck disable=SC2086
	"$cc" -O2 $kind own_wrap.c -Wl,--wrap=unshare -o app
	traced "$kind a wrap of its own" ./app
done
"$cc" -O2 -fPIC -shared twice.c -o libtwice.so
"$real_cc" main.c -L. -ltwice -Wl,-rpath,"$top" -Wl,-rpath-link,"$3" -o plain
traced "instrumented library in a plain program" ./plain
"$cc" -O2 main.c -L. -ltwice -Wl,-rpath,"$top" -o app
traced "instrumented program and library" ./app
"$real_cc" -finstrument-functions main.c twice.c -o unlinked
traced "preloaded" env LD_PRELOAD="$library" ./unlinked
