#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make.sh BUILD FILE: records the trace that stands for this version of the format: threads, repaired calls and a longjmp, small, its program gone.
# A version's file is made once, when the version is released, and is never made again.
set -eu
build=$1 file=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"
work=/tmp/cprof-format
rm -rf $work && mkdir $work
cp "$here/../programs/pthread_exit.c" $work
cd $work
cprof_cc gcc shared -g -O2 pthread_exit.c -o prog -pthread
./prog
cp trace.lz4 "$file"
cd /
rm -rf $work
