/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision table of cprof-cc, row by row: what it was called with, what it runs. */
#include "cc_args.h"
#include "cc_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In rows, words are separated as in a response file. */
#define HOOKS "-finstrument-functions"
#define FRAMES "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"
#define SO "-Wl,--push-state,-Bdynamic,--no-as-needed -lcprof -Wl,--pop-state"
#define SO_DIR "-L/opt/cprof/lib -Wl,-rpath,/opt/cprof/lib"
#define AR \
	"-Wl,-u,__cyg_profile_func_enter -Wl,-u,__cyg_profile_func_exit " \
	"-Wl,--wrap=swapcontext,--wrap=setcontext,--wrap=_Fork,--wrap=unshare,--wrap=setns -Wl,-u,__wrap_swapcontext,-u,__wrap__Fork,-u,__wrap_unshare,-u,__wrap_setns " \
	"-lcprof -lpthread"
#define AR_DIR "-L/opt/cprof/lib"
#define ALLOC "-Wl,--push-state,-Bdynamic,--no-as-needed -lcprof-alloc -Wl,--pop-state"
#define ALLOC_AR \
	"-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=free,--wrap=memalign,--wrap=aligned_alloc " \
	"-Wl,--wrap=posix_memalign,--wrap=valloc,--wrap=pvalloc,-u,__wrap_malloc -lcprof-alloc"
#define ID "-Wl,--build-id=sha1"

#define COMPILED(user) HOOKS " -g1 " user " " FRAMES
#define COMPILED_DEBUG(user) HOOKS " " user " " FRAMES
#define LINKED(user) user " " SO " " SO_DIR " " ID
#define BUILT(user) HOOKS " -g1 " user " " FRAMES " " SO " " SO_DIR " " ID
#define LINKED_STATIC(user) user " " AR " " AR_DIR " " ID
#define BUILT_STATIC(user) HOOKS " -g1 " user " " FRAMES " " AR " " AR_DIR " " ID

struct row {
	const char *call;     /* without the first word if that is cprof-cc */
	const char *expected; /* without the first word if that is gcc; NULL: as called */
	const char *cwd;
	const char *env[3];   /* NAME=value */
	const char *file;     /* name=text of a response file */
	bool warn;
};

#define AS_CALLED .expected = NULL

static const struct row rows[] = {
	/* nothing to compile or link: questions */
	{ .call = "", AS_CALLED },
	{ .call = "--version", AS_CALLED },
	{ .call = "-v", AS_CALLED },
	{ .call = "-V", AS_CALLED },
	{ .call = "-###", AS_CALLED },
	{ .call = "--help", AS_CALLED },
	{ .call = "--help=optimizers", AS_CALLED },
	{ .call = "--target-help", AS_CALLED },
	{ .call = "-dumpmachine", AS_CALLED },
	{ .call = "-dumpversion", AS_CALLED },
	{ .call = "-dumpfullversion", AS_CALLED },
	{ .call = "-dumpspecs", AS_CALLED },
	{ .call = "-print-sysroot", AS_CALLED },
	{ .call = "-print-prog-name=ld", AS_CALLED },
	{ .call = "-print-multi-os-directory", AS_CALLED },
	{ .call = "--print-search-dirs", AS_CALLED },
	{ .call = "--print-search-dirs -c a.c", AS_CALLED },
	{ .call = "-qversion", AS_CALLED },
	{ .call = "-Wl,--version", AS_CALLED },
	{ .call = "-fuse-ld=gold -Wl,--version", AS_CALLED },
	{ .call = "--version a.c", AS_CALLED },
	{ .call = "-cc1 -triple x a.c", AS_CALLED },
	{ .call = "-O2 -lm", AS_CALLED },
	{ .call = "-o x.c", AS_CALLED },
	{ .call = "-I src -include config.h -MF d.d -T script.ld", AS_CALLED },

	/* no code is generated */
	{ .call = "-E a.c", AS_CALLED },
	{ .call = "-E -dM -", AS_CALLED },
	{ .call = "-xc -E -v -", AS_CALLED },
	{ .call = "-M a.c", AS_CALLED },
	{ .call = "-MM -MG a.c", AS_CALLED },
	{ .call = "-E -c a.c", AS_CALLED },
	{ .call = "-c -E a.c", AS_CALLED },
	{ .call = "-fsyntax-only a.c", AS_CALLED },
	{ .call = "--preprocess a.c", AS_CALLED },
	{ .call = "--analyze a.c", AS_CALLED },

	/* compiling */
	{ .call = "-c a.c", COMPILED("-c a.c") },
	{ .call = "-S a.c", COMPILED("-S a.c") },
	{ .call = "--compile a.c", COMPILED("--compile a.c") },
	{ .call = "-c a.c -o a.o", COMPILED("-c a.c -o a.o") },
	{ .call = "-c -MD -MF a.d a.c", COMPILED("-c -MD -MF a.d a.c") },
	{ .call = "-c -MMD -MP -MT a.o a.c", COMPILED("-c -MMD -MP -MT a.o a.c") },
	{ .call = "-O2 -fomit-frame-pointer -c a.c", COMPILED("-O2 -fomit-frame-pointer -c a.c") },
	{ .call = "-c 'a b.c'", COMPILED("-c 'a b.c'") },
	{ .call = "-c a.cc", COMPILED("-c a.cc") },
	{ .call = "-c a.cpp", COMPILED("-c a.cpp") },
	{ .call = "-c a.cxx", COMPILED("-c a.cxx") },
	{ .call = "-c a.C", COMPILED("-c a.C") },
	{ .call = "-c a.c++", COMPILED("-c a.c++") },
	{ .call = "-c a.i", COMPILED("-c a.i") },
	{ .call = "-c a.ii", COMPILED("-c a.ii") },
	{ .call = "-c a.m", COMPILED("-c a.m") },
	{ .call = "-c dir.d/a.c", COMPILED("-c dir.d/a.c") },
	{ .call = "-x c -c - -o a.o", COMPILED("-x c -c - -o a.o") },
	{ .call = "-xc++ -c a.inc", COMPILED("-xc++ -c a.inc") },
	{ .call = "--language=c -c a.inc", COMPILED("--language=c -c a.inc") },
	{ .call = "-c a.h", COMPILED("-c a.h") },
	{ .call = "a.hpp -o a.hpp.gch", COMPILED("a.hpp -o a.hpp.gch") },
	{ .call = "-x c++-header a -o a.gch", COMPILED("-x c++-header a -o a.gch") },
	{ .call = "-v -c a.c", COMPILED("-v -c a.c") },
	{ .call = "-### a.c -c", COMPILED("-### a.c -c") },
	{ .call = "-dumpdir d -c a.c", COMPILED("-dumpdir d -c a.c") },
	{ .call = "-DX=1 -D Y -UZ -c a.c", COMPILED("-DX=1 -D Y -UZ -c a.c") },
	{ .call = "-flto -c a.c", COMPILED("-flto -c a.c") },
	{ .call = "-fPIC -c a.c b.c", COMPILED("-fPIC -c a.c b.c") },

	/* debug information: -g1 only where nothing is said */
	{ .call = "-g -c a.c", COMPILED_DEBUG("-g -c a.c") },
	{ .call = "-g0 -c a.c", COMPILED_DEBUG("-g0 -c a.c") },
	{ .call = "-c -ggdb3 a.c", COMPILED_DEBUG("-c -ggdb3 a.c") },
	{ .call = "-gdwarf-4 -c a.c", COMPILED_DEBUG("-gdwarf-4 -c a.c") },
	{ .call = "-gsplit-dwarf -c a.c", COMPILED_DEBUG("-gsplit-dwarf -c a.c") },
	{ .call = "--gcc-toolchain=/x -c a.c", COMPILED("--gcc-toolchain=/x -c a.c") },
	{ .call = "-o -g -c a.c", COMPILED("-o -g -c a.c") },

	/* assembler and other languages */
	{ .call = "-c a.s", AS_CALLED },
	{ .call = "-c a.S", AS_CALLED },
	{ .call = "-x assembler-with-cpp -c a.c", AS_CALLED },
	{ .call = "-x assembler -c -", AS_CALLED },
	{ .call = "-x assembler a.c -x none -c b.c", COMPILED("-x assembler a.c -x none -c b.c") },
	{ .call = "-c a.f90", AS_CALLED },
	{ .call = "-x cuda -c a.cu", AS_CALLED },
	{ .call = "-c a.ll", AS_CALLED },
	{ .call = "a.S -o a", LINKED("a.S -o a") },
	{ .call = "a.S b.c -o a", BUILT("a.S b.c -o a") },

	/* linking */
	{ .call = "a.o -o a", LINKED("a.o -o a") },
	{ .call = "a.o b.a c.so -o a -lm", LINKED("a.o b.a c.so -o a -lm") },
	{ .call = "-flto a.o -o a", LINKED("-flto a.o -o a") },
	{ .call = "a.c", BUILT("a.c") },
	{ .call = "a.c b.o -o a -lm", BUILT("a.c b.o -o a -lm") },
	{ .call = "-x c d.c libfoo.a", BUILT("-x c d.c libfoo.a") },
	{ .call = "-Wl,--as-needed -Wl,--no-undefined a.o -o a", LINKED("-Wl,--as-needed -Wl,--no-undefined a.o -o a") },
	{ .call = "-shared a.o -o liba.so", LINKED("-shared a.o -o liba.so") },
	{ .call = "-shared -fPIC a.c -o liba.so", BUILT("-shared -fPIC a.c -o liba.so") },
	{ .call = "--shared a.o", LINKED("--shared a.o") },
	{ .call = "-shared -static-libgcc a.o", LINKED("-shared -static-libgcc a.o") },
	{ .call = "-pie -rdynamic a.o", LINKED("-pie -rdynamic a.o") },
	{ .call = "-m64 a.o", LINKED("-m64 a.o") },
	{ .call = "-Wl,--build-id=none a.o", "-Wl,--build-id=none a.o " SO " " SO_DIR },
	{ .call = "-Wl,-z,now,--build-id a.o", "-Wl,-z,now,--build-id a.o " SO " " SO_DIR },
	{ .call = "-Wl,-rpath,/x -L/x a.o -lx", LINKED("-Wl,-rpath,/x -L/x a.o -lx") },
	{ .call = "a.o -Wl,-Bstatic -lx", LINKED("a.o -Wl,-Bstatic -lx") },

	/* static: libcprof.a, except in shared libraries, where two copies of it would meet */
	{ .call = "-static a.o", LINKED_STATIC("-static a.o") },
	{ .call = "a.c --static", BUILT_STATIC("a.c --static") },
	{ .call = "-static-pie a.o", LINKED_STATIC("-static-pie a.o") },
	{ .call = "-flto -static a.o", LINKED_STATIC("-flto -static a.o") },
	{ .call = "-shared -static a.o", LINKED("-shared -static a.o") },
	{ .call = "-static -c a.c", COMPILED("-static -c a.c") },

	/* allocations, too: before every library of the user's; in programs alone */
	{ .call = "--cprof-alloc -c a.c", COMPILED("-c a.c") },
	{ .call = "--cprof-alloc a.o -ljemalloc", ALLOC " " LINKED("a.o -ljemalloc") },
	{ .call = "a.c --cprof-alloc", ALLOC " " BUILT("a.c") },
	{ .call = "--cprof-alloc -shared a.o", LINKED("-shared a.o") },
	{ .call = "--cprof-alloc -static a.o", "-static a.o " ALLOC_AR " " AR " " AR_DIR " " ID },
	{ .call = "--cprof-alloc a.o -lc", ALLOC " " SO " a.o -lc " SO_DIR " " ID },
	{ .call = "--cprof-alloc -static a.o -lc", ALLOC_AR " " AR " -static a.o -lc " AR_DIR " " ID },
	{ .call = "--cprof-alloc --version", "--version" },

	/* libc by name: it has hooks of its own, so ours must stand before it */
	{ .call = "a.o -lc", SO " a.o -lc " SO_DIR " " ID },
	{ .call = "a.o -l c -o a", SO " a.o -l c -o a " SO_DIR " " ID },
	{ .call = "a.c /usr/lib/libc.so.6", SO " " HOOKS " -g1 a.c /usr/lib/libc.so.6 " FRAMES " " SO_DIR " " ID },
	{ .call = "-static a.o -lc", AR " -static a.o -lc " AR_DIR " " ID },
	{ .call = "-shared -nostdlib crti.o a.o -lstdc++ -lm -lc -lgcc_s crtn.o",
	  SO " -shared -nostdlib crti.o a.o -lstdc++ -lm -lc -lgcc_s crtn.o " SO_DIR " " ID },

	/* partial linking */
	{ .call = "-r a.o b.o -o c.o", AS_CALLED },
	{ .call = "-nostdlib -r a.o b.o -o c.o", AS_CALLED },
	{ .call = "-r a.c -o c.o", COMPILED("-r a.c -o c.o") },
	{ .call = "-Wl,-r a.o", AS_CALLED },
	{ .call = "-Wl,-i a.o", AS_CALLED },
	{ .call = "-Wl,-x,-r,-S a.o", AS_CALLED },
	{ .call = "-Wl,-relocatable a.o", AS_CALLED },
	{ .call = "-Wl,--relocatable a.o", AS_CALLED },
	{ .call = "-Wl,-Ur a.o", AS_CALLED },
	{ .call = "-Xlinker -r a.o", AS_CALLED },
	{ .call = "-Xlinker --relocatable a.o", AS_CALLED },
	{ .call = "--relocatable a.o", AS_CALLED },
	{ .call = "-Wl,-rpath,-x a.o", LINKED("-Wl,-rpath,-x a.o") },

	/* no C library, no operating system */
	{ .call = "-nostdlib a.c", AS_CALLED },
	{ .call = "-nodefaultlibs a.o", AS_CALLED },
	{ .call = "-nolibc a.o", AS_CALLED },
	{ .call = "-nostartfiles a.o -lc", AS_CALLED },
	{ .call = "-ffreestanding -c a.c", AS_CALLED },
	{ .call = "-ffreestanding -fhosted -c a.c", COMPILED("-ffreestanding -fhosted -c a.c") },
	{ .call = "-mcmodel=kernel -c a.c", AS_CALLED },
	{ .call = "-D__KERNEL__ -c a.c", AS_CALLED },
	{ .call = "-D __KERNEL__=1 -c a.c", AS_CALLED },
	{ .call = "-D__KERNEL_X -c a.c", COMPILED("-D__KERNEL_X -c a.c") },

	/* other targets: nothing, and the user is told */
	{ .call = "-m32 -c a.c", AS_CALLED, .warn = true },
	{ .call = "-m32 a.o", AS_CALLED, .warn = true },
	{ .call = "-mx32 -c a.c", AS_CALLED, .warn = true },
	{ .call = "-m32 -m64 -c a.c", COMPILED("-m32 -m64 -c a.c") },
	{ .call = "-m32 -E a.c", AS_CALLED },
	{ .call = "-march=native -c a.c", COMPILED("-march=native -c a.c") },
	{ .call = "cprof-clang --target=aarch64-linux-gnu -c a.c", "clang --target=aarch64-linux-gnu -c a.c", .warn = true },
	{ .call = "cprof-clang --target=amdgcn-amd-amdhsa -m64 -c a.c", "clang --target=amdgcn-amd-amdhsa -m64 -c a.c", .warn = true },
	{ .call = "cprof-clang --target= -m64 -c a.c", "clang --target= -m64 -c a.c", .warn = true },
	{ .call = "cprof-clang -target bpf -c a.c", "clang -target bpf -c a.c", .warn = true },
	{ .call = "cprof-clang --target=x86_64-pc-linux-gnu -c a.c", "clang " COMPILED("--target=x86_64-pc-linux-gnu -c a.c") },
	{ .call = "-c a.c", "aarch64-linux-gnu-gcc -c a.c", .env = { "CPROF_CC=aarch64-linux-gnu-gcc" }, .warn = true },
	{ .call = "-c a.c", "/x/x86_64-linux-gnu-gcc-12 " COMPILED("-c a.c"), .env = { "CPROF_CC=/x/x86_64-linux-gnu-gcc-12" } },
	{ .call = "-c a.c", "musl-gcc -c a.c", .env = { "CPROF_CC=musl-gcc" }, .warn = true },
	{ .call = "-c a.c", "gcc -m32 -c a.c", .env = { "CPROF_CC=gcc -m32" }, .warn = true },

	/* -fno-instrument-functions: unknown to clang; the last word counts */
	{ .call = "-fno-instrument-functions -c a.c", AS_CALLED },
	{ .call = "-fno-instrument-functions a.c -o a", LINKED("-fno-instrument-functions a.c -o a") },
	{ .call = "-fno-instrument-functions -finstrument-functions -c a.c",
	  COMPILED("-fno-instrument-functions -finstrument-functions -c a.c") },
	{ .call = "cprof-clang -fno-instrument-functions -c a.c", "clang -c a.c" },
	{ .call = "cprof-clang++ a.cc -fno-instrument-functions", "clang++ " LINKED("a.cc") },
	{ .call = "cprof-clang -E -fno-instrument-functions a.c", "clang -E a.c" },
	{ .call = "cprof-clang -c -fno-instrument-functions conftest.c", "clang -c -fno-instrument-functions conftest.c" },
	{ .call = "-c -fno-instrument-functions a.c", "mpicc -c a.c", .env = { "CPROF_CC=mpicc" } },
	{ .call = "cprof-clang -finstrument-functions-after-inlining -c a.c", "clang " COMPILED("-finstrument-functions-after-inlining -c a.c") },

	/* probes of build systems */
	{ .call = "conftest.c -o conftest", AS_CALLED },
	{ .call = "-c conftest.cpp", AS_CALLED },
	{ .call = "conftest.o -o conftest", AS_CALLED },
	{ .call = "-c conftest.dir/sub/conftest.c", AS_CALLED },
	{ .call = "-c contest.c", COMPILED("-c contest.c") },
	{ .call = "CMakeCCompilerId.c", AS_CALLED },
	{ .call = "-v -c /usr/share/cmake/Modules/CMakeCXXCompilerABI.cpp", AS_CALLED },
	{ .call = "src.c", AS_CALLED, .cwd = "/b/CMakeFiles/CMakeScratch/TryCompile-abc" },
	{ .call = "src.c.o -o cmTC_1", AS_CALLED, .cwd = "/b/CMakeFiles/CMakeTmp" },
	{ .call = "a.c", AS_CALLED, .cwd = "/b/CMakeFiles/3.25.1/CompilerIdC" },
	{ .call = "a.c", AS_CALLED, .cwd = "/b/CMakeFiles/_CMakeLTOTest-C/bin" },
	{ .call = "a.c -c", COMPILED("a.c -c"), .cwd = "/b/CMakeFiles/a.dir" },
	{ .call = "sanitycheckc.c -o sanitycheckc.exe", AS_CALLED },
	{ .call = "/b/meson-private/tmpxyz/testfile.c", AS_CALLED },
	{ .call = "testfile.c", AS_CALLED, .cwd = "/b/meson-private" },
	{ .call = "-c a.c", COMPILED("-c a.c"), .cwd = "/b/x-meson-private-not" },
	{ .call = "-xc /dev/null -c -o /dev/null", AS_CALLED },
	{ .call = "-c a.c -o conftest.o", COMPILED("-c a.c -o conftest.o") },
	{ .call = "-m32 conftest.c", AS_CALLED },

	/* switched off */
	{ .call = "a.c -o a", AS_CALLED, .env = { "CPROF_WRAPPER=off" } },
	{ .call = "cprof-clang -c -fno-instrument-functions a.c", "clang -c -fno-instrument-functions a.c", .env = { "CPROF_WRAPPER=off" } },
	{ .call = "-c a.c", COMPILED("-c a.c"), .env = { "CPROF_WRAPPER=on" } },
	{ .call = "-c a.c", COMPILED("-c a.c"), .env = { "CPROF_WRAPPER=" } },

	/* which compiler */
	{ .call = "cprof-c++ -c a.c", "g++ " COMPILED("-c a.c") },
	{ .call = "/x/y/cprof-c++ -c a.c", "g++ " COMPILED("-c a.c") },
	{ .call = "cprof-gcc -c a.c", "gcc " COMPILED("-c a.c") },
	{ .call = "cprof-g++ -c a.c", "g++ " COMPILED("-c a.c") },
	{ .call = "cprof-clang -c a.c", "clang " COMPILED("-c a.c") },
	{ .call = "cprof-clang++ -c a.c", "clang++ " COMPILED("-c a.c") },
	{ .call = "cprof-clang-14 -c a.c", "clang-14 " COMPILED("-c a.c") },
	{ .call = "gcc -c a.c", "gcc " COMPILED("-c a.c") },
	{ .call = "-c a.c", "clang " COMPILED("-c a.c"), .env = { "CPROF_CC=clang" } },
	{ .call = "cprof-gcc -c a.c", "clang " COMPILED("-c a.c"), .env = { "CPROF_CC=clang" } },
	{ .call = "cprof-c++ -c a.c", "g++ " COMPILED("-c a.c"), .env = { "CPROF_CC=clang" } },
	{ .call = "cprof-c++ -c a.c", "clang++ " COMPILED("-c a.c"), .env = { "CPROF_CC=x", "CPROF_CXX=clang++" } },
	{ .call = "-c a.c", COMPILED("-c a.c"), .env = { "CPROF_CC=" } },
	{ .call = "-c a.c", "ccache gcc " COMPILED("-c a.c"), .env = { "CPROF_CC=ccache gcc" } },
	{ .call = "-c a.c", "distcc '/a b/gcc' " COMPILED("-c a.c"), .env = { "CPROF_CC=distcc '/a b/gcc'" } },
	{ .call = "-c a.c", "ccache gcc " COMPILED_DEBUG("-g -c a.c"), .env = { "CPROF_CC=ccache gcc -g" } },
	{ .call = "--version", "ccache gcc --version", .env = { "CPROF_CC=ccache gcc" } },

	/* launcher */
	{ .call = "--launch /usr/bin/cc -c a.c", "/usr/bin/cc " COMPILED("-c a.c") },
	{ .call = "--launch clang a.o", "clang " LINKED("a.o"), .env = { "CPROF_CC=unused" } },
	{ .call = "--launch ccache /usr/bin/cc -c a.c", "ccache /usr/bin/cc " COMPILED("-c a.c") },
	{ .call = "--launch ccache distcc gcc -c a.c", "ccache distcc gcc " COMPILED("-c a.c") },
	{ .call = "--launch /x/cprof-clang -c a.c", "clang " COMPILED("-c a.c") },
	{ .call = "--launch cprof-cc --launch cc a.o", "cc " LINKED("a.o") },
	{ .call = "--launch gcc a.c -o a", "gcc a.c -o a", .env = { "CPROF_WRAPPER=off" } },

	/* response files: looked into, handed on as they are */
	{ .call = "@f", COMPILED("@f"), .file = "f=-c a.c" },
	{ .call = "@f", BUILT("@f"), .file = "f=a.c -o a" },
	{ .call = "-o a @f", LINKED("-o a @f"), .file = "f='a b.o'\n\"c d.o\"\n-lm" },
	{ .call = "@f -c", COMPILED_DEBUG("@f -c"), .file = "f=-g a.c" },
	{ .call = "@f a.o", AS_CALLED, .file = "f=-r" },
	{ .call = "@f", AS_CALLED, .file = "f=--version" },
	{ .call = "@f", AS_CALLED, .file = "f=" },
	{ .call = "-shared @f", AS_CALLED, .file = "f=conftest.o" },
	{ .call = "@missing", LINKED("@missing") },
	{ .call = "@pipe -c", AS_CALLED, .warn = true },
	{ .call = "a.o @f", SO " a.o @f " SO_DIR " " ID, .file = "f=-lc" },

	/* "--" ends options, ours too */
	{ .call = "cprof-clang -c -- a.c", "clang " HOOKS " -g1 -c " FRAMES " -- a.c" },
	{ .call = "cprof-clang -- a.c -g", "clang " HOOKS " -g1 " FRAMES " " SO " " SO_DIR " " ID " -- a.c -g" },
	{ .call = "cprof-clang -O @f b.c", "clang " HOOKS " -g1 -O " FRAMES " " SO " " SO_DIR " " ID " @f b.c", .file = "f=-- a.c" },
	{ .call = "cprof-clang -c -- --cprof-x.c", "clang " HOOKS " -g1 -c " FRAMES " -- --cprof-x.c" },

	/* a command line that ends too early must not swallow a flag of ours */
	{ .call = "-c a.c -o", AS_CALLED },
	{ .call = "a.c -x", AS_CALLED },
	{ .call = "a.o -Xlinker", AS_CALLED },

	/* our own options go, wherever they stand */
	{ .call = "--cprof-show -c a.c", COMPILED("-c a.c") },
	{ .call = "-c a.c --cprof-show", COMPILED("-c a.c") },
};

static const char *row_env(void *arg, const char *name)
{
	const struct row *row = arg;
	size_t nr_bytes = strlen(name);

	for (size_t i = 0; i < 3 && row->env[i]; i++)
		if (!strncmp(row->env[i], name, nr_bytes) && row->env[i][nr_bytes] == '=')
			return row->env[i] + nr_bytes + 1;
	return NULL;
}

static struct cprof_error *row_read(void *arg, const char *path, char **ret_text)
{
	const struct row *row = arg;
	size_t nr_bytes = strlen(path);

	if (!strcmp(path, "pipe"))
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "%s: a pipe", path);
	if (!row->file || strncmp(row->file, path, nr_bytes) || row->file[nr_bytes] != '=')
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "%s: not there", path);
	*ret_text = strdup(row->file + nr_bytes + 1);
	assert_non_null(*ret_text);
	return NULL;
}

static struct cc_host host_of(const struct row *row)
{
	return (struct cc_host){
		.arch = "x86_64",
		.cwd = row->cwd ? row->cwd : "/src",
		.shared_library = { .folder = "/opt/cprof/lib" },
		.static_library = { .folder = "/opt/cprof/lib" },
		.searched = "/opt/cprof/lib",
		.read_env = row_env,
		.read_response = row_read,
		.arg = (void *)row,
	};
}

static bool names_compiler(const char *text)
{
	size_t nr_bytes = strcspn(text, " ");
	const char *name = text;

	for (const char *at = text; at < text + nr_bytes; at++)
		if (*at == '/')
			name = at + 1;
	return !strncmp(name, "cprof-c", 7) || !strncmp(name, "cprof-g", 7) || !strncmp(name, "gcc", 3);
}

/* The words of a row, the program's name before them unless it is given. */
static struct cc_words words_of(const char *text, const char *name, bool has_name)
{
	struct cc_words words = { 0 };

	if (!has_name)
		cc_words_add(&words, name);
	response_file_split(text, &words);
	assert_null(cc_words_error(&words));
	return words;
}

/* In a row's expectation the compiler is named unless it is gcc: its first word is then neither an option nor an input. */
static bool expectation_names_compiler(const struct row *row)
{
	static const char *const compiler[] = { "gcc ", "g++ ", "clang", "ccache ", "distcc ", "cc ", "mpicc ", "musl-gcc ", "/usr/bin/cc ",
						"/x/x86_64-linux", "aarch64-linux" };

	for (size_t i = 0; i < sizeof(compiler) / sizeof(*compiler); i++)
		if (!strncmp(row->expected, compiler[i], strlen(compiler[i])))
			return true;
	return false;
}

static void print_words(const char *what, const struct cc_words *words)
{
	print_error("%s:", what);
	for (size_t i = 0; i < words->nr; i++)
		print_error(" [%s]", words->word[i]);
	print_error("\n");
}

static bool words_equal(const struct cc_words *a, const struct cc_words *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++)
		if (strcmp(a->word[i], b->word[i]))
			return false;
	return true;
}

static void table_test(void **state)
{
	size_t nr_failed = 0;

	(void)state;
	assert_true(sizeof(rows) / sizeof(*rows) >= 120);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct cc_host host = host_of(row);
		struct cc_words call = words_of(row->call, "cprof-cc", names_compiler(row->call));
		struct cc_words expected = row->expected ? words_of(row->expected, "gcc", expectation_names_compiler(row))
							 : words_of(row->call, "gcc", false);
		struct cc_plan plan;
		struct cprof_error *error = cc_args_plan(&host, call.word, call.nr, &plan);

		if (error)
			fail_msg("row %zu, %s: %s", i, row->call, error->message);
		if (!words_equal(&plan.argv, &expected) || plan.warn != row->warn || (!row->expected && !plan.untouched)) {
			print_error("row %zu: %s (warning: %d, untouched: %s)\n", i, row->call, plan.warn, plan.untouched);
			print_words("  expected", &expected);
			print_words("  got     ", &plan.argv);
			nr_failed++;
		}
		cc_plan_deinit(&plan);
		cc_words_deinit(&expected);
		cc_words_deinit(&call);
	}
	assert_int_equal(nr_failed, 0);
}

/* A row that must be refused, with this in the message. */
static void refused(struct cc_host *host, const char *text, enum cprof_error_code code, const char *message)
{
	struct cc_words call = words_of(text, "cprof-cc", names_compiler(text));
	struct cc_plan plan;
	struct cprof_error *error = cc_args_plan(host, call.word, call.nr, &plan);

	assert_non_null(error);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, error->message);
	cprof_error_free(error);
	cc_words_deinit(&call);
}

static void refusal_test(void **state)
{
	static const struct row plain, misspelt = { .env = { "CPROF_WRAPPER=of" } }, no_compiler = { .env = { "CPROF_CC=-m64 gcc" } },
				       blank = { .env = { "CPROF_CC= " } }, loop = { .file = "f=@f" };
	struct cc_host host = host_of(&plain);

	(void)state;
	refused(&host, "--cprof-shwo a.c", CPROF_ERROR_USAGE, "--cprof-shwo: no such option");
	refused(&host, "--launch", CPROF_ERROR_USAGE, "no compiler follows");
	refused(&host, "--launch -c a.c", CPROF_ERROR_USAGE, "no compiler follows");
	host = host_of(&misspelt);
	refused(&host, "-c a.c", CPROF_ERROR_USAGE, "CPROF_WRAPPER=of");
	host = host_of(&no_compiler);
	refused(&host, "-c a.c", CPROF_ERROR_USAGE, "CPROF_CC=-m64 gcc names no compiler");
	host = host_of(&blank);
	refused(&host, "-c a.c", CPROF_ERROR_USAGE, "names no compiler");
	host = host_of(&loop);
	refused(&host, "-c @f", CPROF_ERROR_FORMAT, "does one of them name itself");
	host = host_of(&plain);
	host.shared_library.folder = NULL;
	refused(&host, "a.o", CPROF_ERROR_NOT_FOUND, "libcprof.so not found in /opt/cprof/lib");
	host.static_library.folder = NULL;
	refused(&host, "a.o -static", CPROF_ERROR_NOT_FOUND, "libcprof.a not found in /opt/cprof/lib");
}

static void expect(struct cc_host *host, const char *text, const char *expected_text)
{
	struct cc_words call = words_of(text, "cprof-cc", false), expected = words_of(expected_text, "gcc", false);
	struct cc_plan plan;

	assert_null(cc_args_plan(host, call.word, call.nr, &plan));
	if (!words_equal(&plan.argv, &expected)) {
		print_words("expected", &expected);
		print_words("got     ", &plan.argv);
		fail();
	}
	cc_plan_deinit(&plan);
	cc_words_deinit(&expected);
	cc_words_deinit(&call);
}

/* Where the library lies, and for which machine, shows only in the flags. */
static void library_test(void **state)
{
	static const struct row plain;
	struct cc_host host = host_of(&plain);

	(void)state;
	host.shared_library = (struct cc_library){ .folder = "/usr/lib", .is_system = true };
	host.static_library = host.shared_library;
	expect(&host, "a.o", "a.o " SO " " ID);
	expect(&host, "-static a.o", "-static a.o " AR " " ID);
	host.shared_library = (struct cc_library){ .folder = "/a,b c" };
	expect(&host, "a.o", "a.o " SO " '-L/a,b c' -Xlinker -rpath -Xlinker '/a,b c' " ID);
	host.shared_library.folder = NULL;
	expect(&host, "-c a.c", COMPILED("-c a.c")); /* compiling does not need it */
	host.arch = "riscv64";
	expect(&host, "-c a.c", HOOKS " -g1 -c a.c -fno-omit-frame-pointer");
	host.arch = "aarch64";
	expect(&host, "-c a.c", COMPILED("-c a.c"));
}

/* An option's value is no input, whatever it looks like: with "a.c" behind it there is nothing to compile, and without it the line is cut. */
static void separate_value_test(void **state)
{
	static const char *const options[] = {
		"-o", "-I", "-L", "-D", "-U", "-l", "-x", "-A", "-B", "-F", "-G", "-T", "-Tbss", "-Tdata", "-Ttext", "-b", "-e", "-u", "-z",
		"-MF", "-MJ", "-MQ", "-MT", "-include", "-include-pch", "-imacros", "-idirafter", "-iframework", "-framework", "-imultiarch",
		"-imultilib", "-iprefix", "-iquote", "-isysroot", "-isystem", "-cxx-isystem", "-ivfsoverlay", "-iwithprefix",
		"-iwithprefixbefore", "-iwithsysroot", "--sysroot", "-Xlinker", "-Xassembler", "-Xpreprocessor", "-Xanalyzer", "-Xclang",
		"-mllvm", "-arch", "-aux-info", "-dumpbase", "-dumpbase-ext", "-dumpdir", "--param", "-wrapper", "-serialize-diagnostics",
		"-working-directory", "-target", "-rpath", "-gcc-toolchain", "--output", "--language", "--define-macro", "--undefine-macro",
		"--include-directory", "--library-directory", "--prefix", "--entry", "--force-link", "--include", "--imacros",
		"--for-linker", "--for-assembler",
	};
	static const struct row plain;
	struct cc_host host = host_of(&plain);

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		char with_value[64], cut[64];
		snprintf(with_value, sizeof(with_value), "%s a.c", options[i]);
		expect(&host, with_value, with_value);
		snprintf(cut, sizeof(cut), "a.o %s", options[i]);
		expect(&host, cut, cut);
	}
}

static void own_option_test(void **state)
{
	static const struct {
		const char *call;
		enum cc_action action;
	} own[] = {
		{ "-c a.c", CC_ACTION_RUN },		 { "--cprof-show a.c", CC_ACTION_SHOW }, { "--cprof-print-config", CC_ACTION_CONFIG },
		{ "--cprof-version", CC_ACTION_VERSION }, { "--cprof-help", CC_ACTION_HELP }, { "--cprof-man", CC_ACTION_MAN },
	};
	static const struct row plain;
	struct cc_host host = host_of(&plain);

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		struct cc_words call = words_of(own[i].call, "cprof-cc", false);
		struct cc_plan plan;
		assert_null(cc_args_plan(&host, call.word, call.nr, &plan));
		assert_int_equal(plan.action, own[i].action);
		assert_string_equal(plan.argv.word[0], "gcc");
		cc_plan_deinit(&plan);
		cc_words_deinit(&call);
	}
}

static void quote_test(void **state)
{
	static const struct {
		const char *word, *quoted;
	} pairs[] = {
		{ "-c", "-c" }, { "", "''" }, { "a b", "'a b'" }, { "it's", "'it'\\''s'" }, { "$x", "'$x'" }, { "-Wl,-u,x", "-Wl,-u,x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		char *text = NULL;
		size_t nr_bytes;
		FILE *out = open_memstream(&text, &nr_bytes);
		assert_non_null(out);
		cc_args_quote(pairs[i].word, out);
		fclose(out);
		assert_string_equal(text, pairs[i].quoted);
		free(text);
	}
}

static void target_test(void **state)
{
	(void)state;
	assert_true(cc_target_triple_fits("x86_64-linux-gnu", "x86_64"));
	assert_true(cc_target_triple_fits("amd64-unknown-linux", "x86_64"));
	assert_true(cc_target_triple_fits("arm64-linux-gnu", "aarch64"));
	assert_false(cc_target_triple_fits("x86_64-w64-mingw32", "x86_64"));
	assert_false(cc_target_triple_fits("x86_64-linux-gnux32", "x86_64"));
	assert_false(cc_target_triple_fits("x86_64-linux-musl", "x86_64"));
	assert_false(cc_target_triple_fits("x86_64h-linux-gnu", "x86_64"));
	assert_false(cc_target_triple_fits("", "x86_64"));
	assert_true(cc_target_compiler_fits("my-own-gcc", "x86_64"));
	assert_true(cc_target_compiler_fits("/opt/arm-none-eabi/bin/clang-14", "x86_64"));
	assert_false(cc_target_compiler_fits("/opt/arm-none-eabi-gcc", "x86_64"));
	assert_false(cc_target_compiler_fits("i686-linux-gnu-g++-12", "x86_64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_test), cmocka_unit_test(refusal_test), cmocka_unit_test(library_test),
		cmocka_unit_test(separate_value_test), cmocka_unit_test(own_option_test), cmocka_unit_test(quote_test), cmocka_unit_test(target_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
