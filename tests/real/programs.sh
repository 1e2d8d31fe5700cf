# SPDX-License-Identifier: BSD-2-Clause
# Sourced, with $cache, $real (this folder) and $support set: how to build and run the real programs. For each a function to compile
# (compile_NAME COMMAND...: runs COMMAND with a source file and flags, once for each object; the objects end up in the current folder)
# and one to run (run_NAME PROGRAM). Their main is called program_main, see timed_main.c.

compile_lua() {
	lua=$cache/lua5.4/src
	# Debian's luaconf.h wants it.
	printf '#define DEB_HOST_MULTIARCH "%s"\n' "$(gcc -print-multiarch 2>/dev/null)" >lua5.4-deb-multiarch.h
	for file in "$lua"/*.c; do
		case $file in */luac.c) continue ;; esac
		# String hashes, pivots of sorts and hits of the cache of C strings (by address), and with them calls, vary from run to run otherwise.
		"$@" -c "$file" -std=gnu99 -DLUA_COMPAT_5_3 -DLUA_USE_POSIX -DLUA_USE_DLOPEN '-Dluai_makeseed(L)=0x5eed' \
			'-Dl_randomizePivot()=0x5eedu' -DSTRCACHE_N=1 -DSTRCACHE_M=1 -I. -I"$lua" -Dmain=program_main || return
	done
}
libraries_lua="-lm -ldl"
run_lua() {
	"$1" "$real/workload.lua" "${2:-2}"
}

compile_bzip2() {
	for file in blocksort huffman crctable randtable compress decompress bzlib bzip2; do
		"$@" -c "$cache/bzip2/$file.c" -D_FILE_OFFSET_BITS=64 -I"$cache/bzip2" -Dmain=program_main || return
	done
}
libraries_bzip2=""
run_bzip2() {
	# Text that compresses like text, from a file that is always there when these tests are.
	[ -e input ] || for _ in 1 2 3 4 5 6 7 8; do cat "$cache"/lua5.4/src/*.c; done >input
	"$1" -c input
}

# $cache/sqlite3/build/sqlite3.c is made by SQLite's own build, which needs tclsh. Once, though tests run side by side.
sqlite_amalgamation() {
	(
		flock 9
		[ -e "$cache/sqlite3/build/.complete" ] && exit 0
		rm -rf "$cache/sqlite3/build" && mkdir "$cache/sqlite3/build" && cd "$cache/sqlite3/build" &&
			../configure --disable-tcl >configure.log 2>&1 && make sqlite3.c >make.log 2>&1 && touch .complete
	) 9>"$cache/sqlite3.lock"
}
compile_sqlite() {
	sqlite_amalgamation || return
	"$@" -c "$cache/sqlite3/build/sqlite3.c" -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION || return
	"$@" -c "$cache/sqlite3/test/speedtest1.c" -I"$cache/sqlite3/build" -DSQLITE_THREADSAFE=0 -Dmain=program_main
}
libraries_sqlite="-lm"
# What it prints but for the times it took.
run_sqlite() {
	"$1" --memdb --size "${2:-5}" >speedtest1.out && sed -E 's/[0-9]+\.[0-9]+s$//' speedtest1.out
}
