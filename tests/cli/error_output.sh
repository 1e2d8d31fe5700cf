# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flamegraph -o folder/none/x.svg plain.lz4 2>&1
