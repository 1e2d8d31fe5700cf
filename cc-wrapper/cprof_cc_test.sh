#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cprof-cc with real compilers on small projects.
#
#   cprof_cc_test.sh CASE gcc|clang WRAPPER LIBRARY.so LIBRARY.a
#
# Each case builds a program through the wrapper and runs it. The library that gets linked counts the calls of the hooks
# (counting_hooks.c), so a case knows to the call what was instrumented. The wrapper is copied into a prefix of its own, as installed.
set -eu

case_name=$1
compiler=$2
wrapper=$3
shared_library=$4
manual=$(cd "$(dirname "$0")/../docs" && pwd)/cprof-cc.md
static_library=$5

unset CPROF_CC CPROF_CXX CPROF_WRAPPER CPROF_CC_DEPTH CFLAGS CXXFLAGS LDFLAGS CC CXX MAKEFLAGS MAKELEVEL LD_LIBRARY_PATH
export LC_ALL=C
top=$(mktemp -d "${TMPDIR:-/tmp}/cprof cc.XXXXXX")   # with a space: everything must bear one
trap 'rm -rf "$top"' EXIT
mkdir -p "$top/prefix/bin" "$top/prefix/lib" "$top/work"
cp "$wrapper" "$top/prefix/bin/cprof-cc"
for name in cprof-c++ cprof-gcc cprof-g++ cprof-clang cprof-clang++; do
	ln -s cprof-cc "$top/prefix/bin/$name"
done
cp "$shared_library" "$top/prefix/lib/libcprof.so"
cp "$static_library" "$top/prefix/lib/libcprof.a"
bin=$top/prefix/bin
lib=$top/prefix/lib
case $compiler in
gcc) cc=$bin/cprof-gcc cxx=$bin/cprof-g++ real_cc=gcc real_cxx=g++ ;;
clang) cc=$bin/cprof-clang cxx=$bin/cprof-clang++ real_cc=clang real_cxx=clang++ ;;
*) echo "unknown compiler $compiler" >&2; exit 2 ;;
esac
COUNT_FILE=$top/counts
export COUNT_FILE
cd "$top/work"

die()
{
	echo "FAILED: $*" >&2
	exit 1
}

# counts PROGRAM ENTERS: the one run of PROGRAM since the last look entered and left ENTERS functions
counts()
{
	[ -f "$COUNT_FILE" ] || die "$1 recorded nothing"
	[ "$(cat "$COUNT_FILE")" = "$1: $2 $2" ] || die "expected \"$1: $2 $2\", got \"$(cat "$COUNT_FILE")\""
	rm "$COUNT_FILE"
}

no_counts()
{
	[ ! -f "$COUNT_FILE" ] || die "recorded where nothing should be: $(cat "$COUNT_FILE")"
}

# quietly COMMAND...: must succeed and print nothing, for many builds have -Werror and many probes look at stderr
quietly()
{
	"$@" >"$top/output" 2>&1 || { cat "$top/output" >&2; die "$*"; }
	[ ! -s "$top/output" ] || { cat "$top/output" >&2; die "not silent: $*"; }
}

instrumented()
{
	nm "$1" | grep -q __cyg_profile_func_enter || die "$1 is not instrumented"
}

plain()
{
	! nm "$1" 2>/dev/null | grep -q __cyg_profile_func_enter || die "$1 is instrumented"
}

needs_library()
{
	readelf -d "$1" | grep -q 'NEEDED.*libcprof' || die "$1 does not need libcprof"
}

needs_no_library()
{
	! readelf -d "$1" | grep -q 'NEEDED.*libcprof' || die "$1 needs libcprof"
}

# main calls twice() 10 times, twice() calls once() 2 times: 31 calls
write_sources()
{
	cat >once.c <<-'END'
	int once(int x);
	int once(int x) { return x + 1; }
	END
	cat >twice.c <<-'END'
	int once(int x);
	int twice(int x);
	int twice(int x) { return once(once(x)); }
	END
	cat >main.c <<-'END'
	int twice(int x);
	int main(void)
	{
		int x = 0;
		for (int i = 0; i < 10; i++)
			x = twice(x);
		return x != 20;
	}
	END
}

# The same in C++, with an exception that crosses a frame, which gcc leaves through the hook, and clang does not.
write_cxx_sources()
{
	cat >shape.cc <<-'END'
	struct shape { virtual ~shape() {} virtual int area() const; };
	int shape::area() const { return 2; }
	shape *make_shape();
	shape *make_shape() { return new shape; }
	END
	cat >main.cc <<-'END'
	struct shape { virtual ~shape(); virtual int area() const; };
	shape *make_shape();
	int main()
	{
		shape *s = make_shape();
		int sum = 0;
		for (int i = 0; i < 10; i++)
			sum += s->area();
		return sum != 20;
	}
	END
}

case_one_step()
{
	write_sources
	quietly "$cc" -Wall -Wextra -Werror -O2 main.c twice.c once.c -o app
	./app
	counts app 31
}

case_separate_steps()
{
	write_sources
	for f in main twice once; do
		quietly "$cc" -Wall -Wextra -Werror -O2 -c $f.c -o $f.o
		instrumented $f.o
	done
	quietly "$cc" -Werror main.o twice.o once.o -o app
	needs_library app
	./app
	counts app 31
}

case_cxx()
{
	write_cxx_sources
	quietly "$cxx" -Wall -Werror -O1 main.cc shape.cc -o app
	./app
	[ -f "$COUNT_FILE" ] || die "recorded nothing"
	# 10 area(), make_shape, main; the constructor of shape is inlined but instrumented
	counts app 13
}

case_mixed_inputs()
{
	write_sources
	quietly "$cc" -c twice.c
	quietly "$real_cc" -c once.c
	quietly ar rc libonce.a once.o
	quietly "$cc" main.c twice.o libonce.a -o app
	./app
	counts app 11	# once() was not compiled by the wrapper
}

case_language_option()
{
	write_sources
	quietly "$real_cc" -c twice.c once.c
	quietly ar rc librest.a twice.o once.o
	cp main.c main.inc
	quietly "$cc" -L. -x c main.inc -lrest -o app
	./app
	counts app 1
	"$cc" -x c - -o app2 -L. -lrest <main.c
	./app2
	counts app2 1
}

case_preprocess()
{
	write_sources
	"$cc" -E main.c >main.i
	grep -q 'int main' main.i || die "no preprocessed text"
	"$cc" -M main.c | grep -q '^main.o: main.c' || die "no dependencies"
	quietly "$cc" -MM -MF main.d main.c
	grep -q main.c main.d || die "no dependency file"
	quietly "$cc" -MD -MF second.d -c main.c -o main.o
	instrumented main.o
	quietly "$cc" -S main.c -o main.s
	grep -q __cyg_profile_func_enter main.s || die "assembler text without hooks"
	quietly "$cc" -c main.i -o again.o
	instrumented again.o
	quietly "$cc" -fsyntax-only main.c
}

case_assembler()
{
	printf '\t.globl answer\nanswer:\n\tret\n\t.section .note.GNU-stack,"",%%progbits\n' >answer.s
	cp answer.s answer2.S
	sed -i s/answer/answer2/ answer2.S
	quietly "$cc" -Werror -c answer.s
	quietly "$cc" -Werror -c answer2.S
	plain answer.o
	echo 'void answer(void), answer2(void); int main(void) { answer(); answer2(); return 0; }' >main.c
	quietly "$cc" main.c answer.o answer2.o -o app
	./app
	counts app 1
}

case_response_file()
{
	write_sources
	mkdir 'o bj'
	for f in main twice once; do
		printf -- '-c\n%s.c -DNAME="\\"x y\\""\n-o "o bj/%s.o"\n' $f $f >$f.rsp
		quietly "$cc" @$f.rsp
		instrumented "o bj/$f.o"
	done
	printf "'o bj/main.o' o\\\\ bj/twice.o\n@rest.rsp" >link.rsp
	printf '"o bj/once.o"\n-o app' >rest.rsp
	quietly "$cc" @link.rsp
	./app
	counts app 31
	printf -- '-r "o bj/twice.o" "o bj/once.o" -o both.o' >partial.rsp
	quietly "$cc" @partial.rsp
	plain_of_library both.o
	[ "$compiler" = clang ] || return 0 # gcc itself cannot read a pipe
	# a pipe can be read only once: it is left to the compiler, and the user is told
	mkfifo pipe
	printf -- '-c main.c -o piped.o' >pipe &
	"$cc" @pipe 2>message || die "response file in a pipe"
	wait
	plain piped.o
	grep -q 'cannot be looked into' message || die "no word about the pipe"
}

plain_of_library()
{
	! nm "$1" | grep -q 'T __cyg_profile_func_enter' || die "$1 holds libcprof"
}

case_shared()
{
	write_sources
	quietly "$cc" -fPIC -shared twice.c once.c -o libtwice.so
	needs_library libtwice.so
	quietly "$cc" -Wl,--as-needed -Wl,--no-undefined main.c -L. -ltwice "-Wl,-rpath,$PWD" -o app
	needs_library app
	./app
	counts app 31
	# a plain program that loads an instrumented library
	quietly "$real_cc" main.c -L. -ltwice "-Wl,-rpath,$PWD" -Wl,-rpath-link,"$lib" -o plain_app
	./plain_app
	counts plain_app 30
}

# The library in front of a program that was linked without it.
case_preload()
{
	write_sources
	quietly "$real_cc" -finstrument-functions main.c twice.c once.c -o app
	./app
	no_counts
	LD_PRELOAD=$lib/libcprof.so
	case $LD_PRELOAD in
	*' '*) cp "$lib/libcprof.so" /tmp/libcprof-preload.$$.so; LD_PRELOAD=/tmp/libcprof-preload.$$.so ;; # the loader splits at spaces
	esac
	(export LD_PRELOAD; ./app)
	rm -f /tmp/libcprof-preload.$$.so
	counts app 31
}

case_shared_by_libtool()
{
	write_cxx_sources
	quietly "$cxx" -fPIC -DPIC -c shape.cc -o shape.o
	# how libtool links: the start files and libraries are its own affair, the driver gets -nostdlib
	quietly "$cxx" -fPIC -DPIC -shared -nostdlib "$("$real_cxx" -print-file-name=crti.o)" "$("$real_cxx" -print-file-name=crtbeginS.o)" \
		shape.o -lstdc++ -lm -lc -lgcc_s "$("$real_cxx" -print-file-name=crtendS.o)" "$("$real_cxx" -print-file-name=crtn.o)" \
		-Wl,-soname -Wl,libshape.so.1 -o libshape.so
	needs_library libshape.so
	quietly "$real_cxx" main.cc -L. -lshape -Wl,-rpath-link,"$lib" -o app
	ln -s libshape.so libshape.so.1
	LD_LIBRARY_PATH=. ./app
	counts app 12
}

case_static()
{
	write_sources
	for kind in -static -static-pie; do
		quietly "$cc" -O2 $kind main.c twice.c once.c -o app
		readelf -l app | grep -q INTERP && die "$kind made a dynamic program"
		./app
		counts app 31
		# libc.a has hooks too: naming it must not make them win
		quietly "$cc" -O2 $kind main.c twice.c once.c -lc -o app
		./app
		counts app 31
	done
}

case_lto()
{
	flags='-O2 -flto -fno-inline'
	[ "$compiler" = gcc ] || flags="$flags -fuse-ld=lld"
	write_sources
	# shellcheck disable=SC2086
	{
		quietly "$cc" $flags main.c twice.c once.c -o app
		./app
		counts app 31
		quietly "$cc" $flags -static main.c twice.c once.c -o app
		./app
		counts app 31
		quietly "$cc" $flags -fPIC -shared twice.c once.c -o libtwice.so
		needs_library libtwice.so
	}
}

case_linkers()
{
	write_sources
	quietly "$cc" -c main.c twice.c once.c
	for linker in bfd gold lld; do
		command -v ld.$linker >/dev/null || die "ld.$linker is not installed"
		[ "$compiler-$linker" != gcc-lld ] || [ -x "$(command -v ld.lld)" ] || continue
		quietly "$cc" -fuse-ld=$linker main.o twice.o once.o -o app_$linker
		needs_library app_$linker
		./app_$linker
		counts app_$linker 31
	done
}

case_libc_by_name()
{
	write_sources
	quietly "$cc" main.c twice.c once.c -lc -o app
	./app
	counts app 31
	quietly "$cc" main.c twice.c once.c "$("$real_cc" -print-file-name=libc.so.6)" -o app
	./app
	counts app 31
}

case_linker_state()
{
	write_sources
	quietly "$cc" -Wl,--as-needed main.c twice.c once.c -Wl,-Bstatic -o app_bstatic -Wl,-Bdynamic -Wl,--as-needed
	./app_bstatic
	counts app_bstatic 31
	quietly "$cc" -c twice.c once.c
	quietly ar rc libtwice.a twice.o once.o
	# left behind by the user: our library must be found shared all the same, and what follows must be as it was
	quietly "$cc" main.c -L. -Wl,-Bstatic -ltwice -Wl,-Bdynamic -Wl,--whole-archive -Wl,--no-whole-archive -o app
	needs_library app
	./app
	counts app 31
	"$cc" --cprof-show main.c -Wl,-Bstatic -L. -ltwice | grep -q -- -Bdynamic || die "the search for a shared library is not asked for"
	# main() alone is not instrumented, so nothing calls a hook: the library stays nevertheless
	quietly "$cc" -fno-instrument-functions -Wl,--as-needed main.c twice.c once.c -o unused
	needs_library unused
	./unused
	no_counts
}

case_partial_link()
{
	write_sources
	quietly "$cc" -c main.c twice.c once.c
	for flags in '-r' '-nostdlib -r' '-nostdlib -no-pie -Wl,-r' '-nostdlib -no-pie -Xlinker -r'; do
		# shellcheck disable=SC2086
		quietly "$cc" $flags twice.o once.o -o both.o
		plain_of_library both.o
		quietly "$cc" main.o both.o -o app
		./app
		counts app 31
	done
}

case_no_instrument()
{
	write_sources
	quietly "$cc" -Werror -fno-instrument-functions -c once.c
	plain once.o
	quietly "$cc" -Werror main.c twice.c once.o -o app
	./app
	counts app 11
}

case_wrapper_off()
{
	write_sources
	CPROF_WRAPPER=off
	export CPROF_WRAPPER
	quietly "$cc" main.c twice.c once.c -o app
	plain app
	needs_no_library app
	rm "$lib/libcprof.so"
	quietly "$cc" main.c twice.c once.c -o app
	unset CPROF_WRAPPER
	! "$cc" main.c twice.c once.c -o other 2>message || die "linked without the library"
	grep -q "^cprof-cc: libcprof.so not found in .*prefix/lib; install" message || { cat message >&2; die "the message is poor"; }
	[ ! -e other ] || die "a program although the library is missing"
}

case_foreign_target()
{
	write_sources
	! "$cc" -m32 -xc -c /nonexistent.c 2>message || die "compiled what is not there"
	[ "$(grep -c 'cprof-cc: warning: -m32: libcprof is not built for this target; compiled without cprof' message)" = 1 ] ||
		{ cat message >&2; die "no warning, or several"; }
	"$cc" -m32 -c once.c -o once.o 2>message || die "-m32 -c"
	plain once.o
}

case_exit_status()
{
	echo 'int main(void) { return undeclared; }' >bad.c
	status=0
	"$cc" -c bad.c 2>message || status=$?
	"$real_cc" -c bad.c 2>/dev/null || real_status=$?
	[ "$status" = "$real_status" ] || die "exit status $status, the compiler's is $real_status"
	grep -q undeclared message || die "the compiler's message is lost"
	for status in 1 3 77; do
		printf '#!/bin/sh\nexit %s\n' $status >fake-gcc
		chmod +x fake-gcc
		got=0
		CPROF_CC=$PWD/fake-gcc
		CPROF_CC="'$CPROF_CC'" "$bin/cprof-cc" -c a.c || got=$?
		[ $got = $status ] || die "exit status $got instead of $status"
	done
	for signal in TERM:143 KILL:137 SEGV:139; do
		printf '#!/bin/sh\nkill -%s $$\n' ${signal%:*} >fake-gcc
		got=0
		CPROF_CC="'$PWD/fake-gcc'" "$bin/cprof-cc" -c a.c || got=$?
		[ $got = ${signal#*:} ] || die "status $got after $signal"
	done
	# the compiler takes the place of the wrapper: same process
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho $$ >pid\n' >fake-gcc
	CPROF_CC="'$PWD/fake-gcc'" sh -c 'echo $$ >expected; exec "$0" -c a.c' "$bin/cprof-cc"
	cmp pid expected || die "another process"
}

case_identity()
{
	for flag in --version -v -dumpmachine -print-search-dirs --help; do
		"$cc" $flag >ours 2>&1
		"$real_cc" $flag >theirs 2>&1
		# clang --version and -v print the folder it runs from, gcc its name: both are as if called directly
		cmp ours theirs || die "$flag is not the compiler's own"
	done
	"$cc" --cprof-version | grep -q '^cprof-cc [0-9]' || die "--cprof-version"
	"$cc" --cprof-help | grep -q -- --cprof-show || die "--cprof-help"
	for name in $("$cc" --cprof-help | sed -n 's/^  \(--[a-z-]*\|CPROF_[A-Z]*\) .*/\1/p'); do
		grep -q -- "$name" "$manual" || die "$manual says nothing of $name"
		names="${names-} $name"
	done
	[ "$(echo "$names" | wc -w)" = 10 ] || die "10 options and variables expected, help lists$names"
	"$cc" --cprof-print-config >config
	grep -q "^compiler: $real_cc = /" config || die "config without the compiler"
	grep -q "^shared library: .*/prefix/lib/libcprof.so" config || die "config without the library"
	status=0
	"$cc" --cprof-nonsense 2>message || status=$?
	[ $status = 2 ] || die "status $status for an unknown option"
}

case_show()
{
	write_sources
	eval "$("$cc" --cprof-show 'main.c' twice.c once.c -o 'an app')"
	"./an app"
	counts "an app" 31
	"$cc" --cprof-show -c conftest.c 2>message >command
	grep -q 'conftest.c: a probe' message || die "no reason"
	[ "$(cat command)" = "$real_cc -c conftest.c" ] || die "a probe was changed"
}

case_itself()
{
	write_sources
	for value in "'$bin/cprof-cc'" cprof-cc "ccache '$bin/cprof-gcc'"; do
		printf '#!/bin/sh\nexec "$@"\n' >"$bin/ccache"
		chmod +x "$bin/ccache"
		status=0
		PATH="$bin:$PATH" CPROF_CC=$value timeout 10 "$bin/cprof-cc" -c main.c 2>message || status=$?
		case $status in
		1 | 2) ;;
		*) die "CPROF_CC=$value: status $status" ;;
		esac
		grep -q 'cprof-cc: .*name .*compiler\|cprof-cc: no compiler' message || { cat message >&2; die "CPROF_CC=$value: poor message"; }
	done
	# through a third program the wrapper cannot see it beforehand
	printf '#!/bin/sh\nexec "%s/cprof-cc" "$@"\n' "$bin" >"$bin/mpicc"
	chmod +x "$bin/mpicc"
	! PATH="$bin:$PATH" CPROF_CC=mpicc timeout 20 "$bin/cprof-cc" -c main.c 2>message || die "a loop succeeded"
	grep -q 'again and again' message || die "a loop without a word"
	# a link with the compiler's own name, first in PATH
	mkdir masks
	ln -s "$bin/cprof-cc" masks/$real_cc
	PATH="$PWD/masks:$PATH" quietly $real_cc main.c twice.c once.c -o app
	./app
	counts app 31
	# several words
	PATH="$bin:$PATH" CPROF_CC="ccache $real_cc" quietly "$bin/cprof-cc" main.c twice.c once.c -o app2
	./app2
	counts app2 31
}

case_precompiled_header()
{
	echo 'static inline int half(int x) { return x / 2; }' >common.h
	echo 'int main(void) { return half(2) - 1; }' >main.c
	suffix=gch
	[ "$compiler" = gcc ] || suffix=pch
	quietly "$cc" -O2 -Winvalid-pch -Werror -x c-header common.h -o common.h.$suffix
	if [ "$compiler" = gcc ]; then
		quietly "$cc" -O2 -Winvalid-pch -Werror -include common.h main.c -o app
	else
		quietly "$cc" -O2 -Werror -include-pch common.h.pch main.c -o app
	fi
	./app
	counts app 2
}

case_make()
{
	write_sources
	write_cxx_sources
	rm main.cc
	cat >Makefile <<-'END'
	.RECIPEPREFIX = >
	CFLAGS = -O2 -Wall -Werror
	app: main.o libtwice.a shape.o
	> $(CXX) $(LDFLAGS) -o $@ $^
	libtwice.a: twice.o once.o
	> $(AR) rc $@ $^
	END
	make CC="'$cc'" CXX="'$cxx'" >output 2>&1 || { cat output >&2; die make; }
	./app
	counts app 31
}

# What configure does: compile, link and run conftest, look at what is printed and at what files appear.
case_configure()
{
	write_sources
	mkdir conf
	cd conf
	echo 'int main(void) { return 0; }' >conftest.c
	quietly "$cc" -o conftest conftest.c
	plain conftest
	needs_no_library conftest
	./conftest
	quietly "$cc" -c conftest.c
	plain conftest.o
	quietly "$cc" -o conftest conftest.o
	needs_no_library conftest
	"$cc" -shared -fPIC conftest.o -v -Wl,-soname -Wl,x -o conftest.so 2>link_line || [ "$compiler" = gcc ]
	! grep -q cprof link_line || die "libtool would see libcprof as the compiler's own"
	no_counts
	cd ..
	rm -r conf
	quietly "$cc" main.c twice.c once.c -o app
	./app
	counts app 31
}

write_cmake_project()
{
	write_sources
	write_cxx_sources
	cat >CMakeLists.txt <<-'END'
	cmake_minimum_required(VERSION 3.16)
	project(small C CXX)
	include(CheckCSourceCompiles)
	include(CheckIPOSupported)
	check_c_source_compiles("int main(void) { return 0; }" COMPILES)
	if(NOT COMPILES)
	  message(FATAL_ERROR "the compiler does not work")
	endif()
	check_ipo_supported(RESULT ipo LANGUAGES C)
	add_library(once STATIC once.c)
	add_library(twice SHARED twice.c)
	target_link_libraries(twice PRIVATE once)
	set_target_properties(once PROPERTIES POSITION_INDEPENDENT_CODE ON)
	add_executable(app main.c)
	target_link_libraries(app PRIVATE twice)
	add_executable(shapes main.cc shape.cc)
	set_target_properties(app PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
	install(TARGETS app twice shapes)
	END
}

check_cmake_project()
{
	out/app
	counts app 31
	out/shapes
	[ -f "$COUNT_FILE" ] || die "shapes recorded nothing"
	rm "$COUNT_FILE"
	cmake --install out --prefix "$PWD/installed" >install.log 2>&1 || { cat install.log >&2; die "cmake --install"; }
	installed/bin/app
	counts app 31
}

case_cmake_compiler()
{
	write_cmake_project
	for generator in Ninja 'Unix Makefiles'; do
		rm -rf out
		cmake -G "$generator" -S . -B out -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" >configure.log 2>&1 ||
			{ cat configure.log >&2; die configure; }
		grep -q 'COMPILER_ID "Clang"\|COMPILER_ID "GNU"' out/CMakeFiles/3*/CMakeCCompiler.cmake || die "compiler not identified"
		! grep -i 'IMPLICIT.*cprof' out/CMakeFiles/3*/CMakeC*Compiler.cmake | grep -v 'CMAKE_C.*_COMPILER "' ||
			die "CMake takes libcprof for one of the compiler's libraries"
		no_counts
		cmake --build out >build.log 2>&1 || { cat build.log >&2; die build; }
		check_cmake_project
	done
}

case_cmake_launcher()
{
	write_cmake_project
	launcher="$cc;--launch"
	cmake -G Ninja -S . -B out -DCMAKE_C_COMPILER=$real_cc -DCMAKE_CXX_COMPILER=$real_cxx -DCMAKE_C_COMPILER_LAUNCHER="$launcher" \
		-DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DCMAKE_C_LINKER_LAUNCHER="$launcher" -DCMAKE_CXX_LINKER_LAUNCHER="$launcher" \
		>configure.log 2>&1 || { cat configure.log >&2; die configure; }
	! grep -q cprof out/CMakeFiles/3*/CMakeC*Compiler.cmake || die "CMake saw cprof while it probed"
	cmake --build out >build.log 2>&1 || { cat build.log >&2; die build; }
	check_cmake_project
}

"case_$case_name"
