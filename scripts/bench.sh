#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what the bench needs, builds cprof and writes docs/overhead.md. On an otherwise idle machine; about ten minutes.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
sh "$top/scripts/install-packages.sh" bench
cmake -S "$top" -B "$top/build-bench" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF
cmake --build "$top/build-bench"
cmake --build "$top/build-bench" --target bench
