# SPDX-License-Identifier: BSD-2-Clause
# Sourced by project.sh: how to build, test and run each project with its own build system, unpatched.
#
# build_NAME CC CXX: configures and builds the project in the current folder, a copy of its sources.
# check_NAME: runs its own test suite. Where that takes minutes, the part that still runs all of the program; with $full set, all of it.
# run_NAME COMMAND...: a workload in one thread, as COMMAND PROGRAM ARGUMENT..., whose calls do not differ from run to run.
# program_NAME: the executable that run_NAME runs.

# Flags as Debian builds its packages, with all hardening: PIE, -z now, fortified, -ffile-prefix-map.
debian_flags() {
	eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
}

# autoconf, automake, libtool, flex and bison; the program's code is in a shared library.
package_jq=jq
build_jq() {
	debian_flags
	autoreconf -fi && ./configure CC="$1" --disable-static --disable-valgrind --disable-docs --enable-maintainer-mode && make -j2
}
# jqtest and mantest compile jq's own library, eight million calls, for each of a thousand programs.
check_jq() {
	if [ "$full" ]; then make check; else make check TESTS="tests/onigtest tests/shtest"; fi
}
program_jq=.libs/jq
run_jq() {
	printf '[{"name":"a","values":[1,2.5,null]},{"name":"\\u00e4","values":[true,"x"]}]' >jq-input.json
	LD_LIBRARY_PATH=$PWD/.libs "$@" 'map({key: .name, value: [.values[] | tostring | test("^[0-9]")]}) | from_entries' jq-input.json
}

# A plain makefile. It has the functions that libcprof uses itself, under the same names.
package_lz4=lz4
build_lz4() {
	make -j2 CC="$1" V=1 && make -j2 -C tests CC="$1" fuzzer frametest decompress-partial
}
check_lz4() {
	(cd tests && ./frametest -T4s && ./fuzzer -T4s && ./decompress-partial) &&
		if [ "$full" ]; then make check; else make -C tests test-lz4-multiple test-lz4-basic test-lz4-dict; fi
}
program_lz4=programs/lz4
run_lz4() {
	for _ in 1 2 3 4 5 6 7 8; do cat lib/*.c; done >lz4-input
	"$@" -q -f -9 lz4-input lz4-output && cksum lz4-output
}

# Plain makefiles, threads, assembler, functions chosen by the processor. It has the hash that libcprof uses itself, and liblz4 in its program. -t1: without the
# unit tests, which trace minutes of compression.
package_zstd=libzstd
build_zstd() {
	make -j2 -C programs CC="$1" CFLAGS=-O2 V=1 zstd && make -j2 -C tests CC="$1" CFLAGS=-O2 V=1 fuzzer zstreamtest decodecorpus poolTests invalidDictionaries legacy datagen
}
check_zstd() {
	cat lib/*/*.c >zstd-input
	(
		cd tests && first=-t1
		[ "$full" ] && first=
		zstd_test() { # NAME COMMAND...: with a trace of its own
			zstd_test=$1
			shift
			CPROF_OUTPUT=trace-$zstd_test.lz4 "$@"
		}
		zstd_test pool ./poolTests && zstd_test dictionaries ./invalidDictionaries && zstd_test legacy ./legacy &&
			zstd_test corpus ./decodecorpus -t -T2 && zstd_test fuzzer ./fuzzer $first -T4s && zstd_test stream ./zstreamtest $first -T4s &&
			zstd_test newapi ./zstreamtest --newapi -t1 -T4s && zstd_test threads ../programs/zstd -q -f -T2 -B1M ../zstd-input -o ../zstd-output &&
			zstd_test back ../programs/zstd -q -t ../zstd-output && zstd_test lz4 ../programs/zstd -q -f --format=lz4 ../zstd-input -o ../zstd-output &&
			lz4 -q -t ../zstd-output
	)
}
program_zstd=programs/zstd
run_zstd() {
	cat lib/*/*.c >zstd-input
	"$@" -q -f -7 --single-thread --no-asyncio zstd-input -o zstd-output && cksum zstd-output
}

# CMake with Ninja, C++ with threads and a shared library; by launchers, so that CMake thinks it has the plain compiler.
package_leveldb=leveldb
build_leveldb() {
	debian_flags
	CXXFLAGS="$CXXFLAGS $CPPFLAGS -fPIC"
	cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=ON -DLEVELDB_BUILD_BENCHMARKS=OFF \
		-DCMAKE_C_COMPILER="$plain_cc" -DCMAKE_CXX_COMPILER="$plain_cxx" ${launcher:+-DCMAKE_C_COMPILER_LAUNCHER="$launcher"} \
		${launcher:+-DCMAKE_CXX_COMPILER_LAUNCHER="$launcher"} ${launcher:+-DCMAKE_C_LINKER_LAUNCHER="$launcher"} \
		${launcher:+-DCMAKE_CXX_LINKER_LAUNCHER="$launcher"} && cmake --build build -j 2
}
# The two that are left out insert a million records a time.
check_leveldb() {
	if [ "$full" ]; then
		ctest --test-dir build --output-on-failure --timeout 3600
	else
		ctest --test-dir build -j 2 --output-on-failure -E 'issue178|issue320'
	fi
}
# Its library as its own build made it; only this program is ours.
program_leveldb=build/workload
run_leveldb() {
	[ -e build/workload ] || "cprof-$plain_cxx" -std=c++17 -O2 -g -Iinclude -o build/workload "$projects/leveldb_workload.cc" -Lbuild -lleveldb || return
	rm -rf database
	LD_LIBRARY_PATH=$PWD/build "$@" database
}

# Meson with Ninja, C++ with exceptions and a shared library.
package_jsoncpp=libjsoncpp
build_jsoncpp() {
	printf "[binaries]\nc = ['%s']\ncpp = ['%s']\n" "$1" "$2" >native.ini
	meson setup build --native-file native.ini --buildtype=debugoptimized && ninja -j2 -C build
}
check_jsoncpp() {
	meson test -C build --print-errorlogs --timeout-multiplier 10
}
program_jsoncpp=build/jsoncpp_test
run_jsoncpp() {
	"$@"
}

# Meson, C with -ansi, optimized at link time, where the compiler can.
package_fribidi=fribidi
build_fribidi() {
	printf "[binaries]\nc = ['%s']\n" "$1" >native.ini
	meson setup build --native-file native.ini --buildtype=debugoptimized -Ddocs=false -Db_lto="$lto" && ninja -j2 -C build
}
check_fribidi() {
	meson test -C build --print-errorlogs --timeout-multiplier 10
}
program_fribidi=build/bin/fribidi
run_fribidi() {
	"$@" --test --charset UTF-8 test/test_UTF-8_persian.input
}
