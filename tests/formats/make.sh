#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make.sh BUILD FOLDER VERSION: records the traces that stand for a version of the format, small, their programs gone:
#   version-VERSION.trace         threads, repaired calls and a longjmp
#   version-VERSION-killed.trace  a killed process (killed.c); its live file, compressed, is version-VERSION-killed.trace.live.xz
# A version's files are made once, when the version is released, and never again: what is there stays.
set -eu
build=$(cd "$1" && pwd) folder=$(cd "$2" && pwd) version=$3
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"
work=/tmp/cprof-format
rm -rf $work && mkdir $work
cp "$here/../programs/pthread_exit.c" "$here/killed.c" $work
cd $work
if [ ! -e "$folder/version-$version.trace" ]; then
	cprof_cc gcc shared -g -O2 pthread_exit.c -o prog -pthread
	./prog
	cp trace.lz4 "$folder/version-$version.trace"
fi
if [ ! -e "$folder/version-$version-killed.trace" ]; then
	cprof_cc gcc shared -g -O2 killed.c -o killed -pthread
	CPROF_BUFFER=256k CPROF_DRAIN=inline CPROF_OUTPUT=killed.lz4 ./killed || :
	cp killed.lz4 "$folder/version-$version-killed.trace"
	xz -9ec killed.lz4.live >"$folder/version-$version-killed.trace.live.xz"
fi
cd /
rm -rf $work
