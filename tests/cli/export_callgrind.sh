# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=callgrind $P recursion.lz4
