#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A stranger's project finds cprof: installed into a prefix, and in the build tree; by CMake and by pkg-config.
#
#   package_test.sh gcc|clang BUILD-FOLDER CMAKE LIBDIR
set -eu

compiler=$1
build=$2
cmake=$3
libdir=$4
case $compiler in
gcc) cxx=g++ ;;
clang) cxx=clang++ ;;
esac
unset CPROF_CC CPROF_CXX CPROF_WRAPPER CPROF_OUTPUT CPROF CC CXX CFLAGS CXXFLAGS LDFLAGS LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH DESTDIR
top=$(mktemp -d "${TMPDIR:-/tmp}/cprof package.XXXXXX")
trap 'rm -rf "$top"' EXIT
prefix=$top/prefix
cd "$top"

die()
{
	echo "FAILED: $*" >&2
	exit 1
}

quietly()
{
	"$@" >"$top/log" 2>&1 || { cat "$top/log" >&2; die "$*"; }
}

traced()
{
	rm -f trace.lz4
	"$@" || die "$*: status $?"
	[ -s trace.lz4 ] || die "$* left no trace"
}

untraced()
{
	rm -f trace.lz4
	"$@" || die "$*: status $?"
	[ ! -e trace.lz4 ] || die "$* left a trace"
}

hooked()
{
	nm "$1" | grep -q __cyg_profile_func_enter
}

quietly "$cmake" --install "$build" --prefix "$prefix"

mkdir by-target by-launcher
echo 'int twice(int x); int twice(int x) { return 2 * x; }' >by-target/twice.c
echo 'extern "C" int twice(int x); int main() { int s = 0; for (int i = 0; i < 10; i++) s += twice(i); return s != 90; }' >by-target/main.cc
cp by-target/*.c* by-launcher
cat >by-target/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(stranger C CXX)
find_package(cprof 0.1 REQUIRED COMPONENTS Runtime Tools)
add_executable(plain main.cc twice.c)
add_executable(by_function main.cc twice.c)
cprof_instrument(by_function)
add_executable(by_library main.cc twice.c)
target_link_libraries(by_library PRIVATE cprof::instrument)
add_executable(by_static main.cc twice.c)
cprof_instrument(by_static STATIC)
target_link_options(by_static PRIVATE -static)
add_custom_target(which ALL COMMAND cprof::cc --cprof-version)
add_subdirectory(excluding)
END
mkdir by-target/excluding
cp by-target/*.c* by-target/excluding
cat >by-target/excluding/CMakeLists.txt <<'END'
add_executable(excluding main.cc twice.c)
cprof_instrument(excluding EXCLUDE_FILES twice.c)
END
cat >by-launcher/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(stranger C CXX)
find_package(cprof REQUIRED)
add_executable(plain main.cc twice.c)
cprof_enable()
add_library(twice SHARED twice.c)
add_executable(launched main.cc)
target_link_libraries(launched PRIVATE twice)
END

# What CMake before 3.21 gets, which knows no launcher for the linker. Only the version is feigned.
mkdir by-launcher/old
cp by-target/*.c* by-launcher/old
cat >>by-launcher/CMakeLists.txt <<'END'
add_subdirectory(old)
END
cat >by-launcher/old/CMakeLists.txt <<'END'
set(CMAKE_VERSION 3.20.0)
unset(CMAKE_C_LINKER_LAUNCHER)
unset(CMAKE_CXX_LINKER_LAUNCHER)
set(CMAKE_C_COMPILER_LAUNCHER)
set(CMAKE_CXX_COMPILER_LAUNCHER)
cprof_enable()
add_executable(launched_old main.cc twice.c)
get_target_property(launcher launched_old CXX_LINKER_LAUNCHER)
if(launcher)
  message(FATAL_ERROR "a launcher for the linker: ${launcher}")
endif()
END

for from in "-DCMAKE_PREFIX_PATH=$prefix" "-Dcprof_DIR=$build"; do
	for project in by-target by-launcher; do
		rm -rf out-$project
		quietly "$cmake" -G Ninja -S $project -B out-$project "$from" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_CXX_COMPILER="$cxx"
		quietly "$cmake" --build out-$project
	done
	traced out-by-target/by_function
	traced out-by-target/by_library
	traced out-by-target/by_static
	untraced out-by-target/plain
	traced out-by-target/excluding/excluding
	objects=out-by-target/excluding/CMakeFiles/excluding.dir
	hooked $objects/main.cc.o || die "EXCLUDE_FILES left nothing"
	! hooked $objects/twice.c.o || die "EXCLUDE_FILES excluded nothing"
	traced out-by-launcher/launched
	traced out-by-launcher/old/launched_old
	hooked out-by-launcher/libtwice.so || die "cprof_enable: the library is not instrumented"
	untraced out-by-launcher/plain
done

# mistakes are told
printf 'cmake_minimum_required(VERSION 3.16)\nproject(x C)\nfind_package(cprof REQUIRED)\nadd_executable(a a.c)\n%s\n' \
	'cprof_instrument(a EXCLUDE_FILES b.c)' >CMakeLists.txt
echo 'int main(void) { return 0; }' >a.c
! "$cmake" -S . -B out-wrong "-DCMAKE_PREFIX_PATH=$prefix" >log 2>&1 || die "a wrong EXCLUDE_FILES was accepted"
grep -q 'not a source of the target' log || { cat log >&2; die "poor message"; }

echo 'find_package(cprof 99 REQUIRED)' >CMakeLists.txt
! "$cmake" -S . -B out-version "-DCMAKE_PREFIX_PATH=$prefix" >log 2>&1 || die "version 99 was found"
grep -q 'version "99"' log || { cat log >&2; die "another error than the version"; }

# the installed wrapper finds the installed library
quietly "$prefix/bin/cprof-$compiler" -O2 by-target/twice.c a.c -o wrapped
readelf -d wrapped | grep -q "RUNPATH.*$prefix/$libdir\|RPATH.*$prefix/$libdir" || die "not linked to the installed library"
traced ./wrapped

export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
[ "$(pkg-config --modversion cprof)" = "$("$prefix/bin/cprof-cc" --cprof-version | cut -d' ' -f2)" ] || die "versions differ"
eval "$compiler a.c -o packaged $(pkg-config --cflags --libs cprof-instrument) '-Wl,-rpath,$prefix/$libdir'"
traced ./packaged
eval "$compiler -static a.c -o packaged_static $(pkg-config --static --cflags --libs cprof-instrument)"
traced ./packaged_static
eval "$compiler a.c -o linked $(pkg-config --cflags --libs cprof) '-Wl,-rpath,$prefix/$libdir'"
untraced ./linked
