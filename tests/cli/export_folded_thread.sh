# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=folded --by-thread $P plain.lz4
