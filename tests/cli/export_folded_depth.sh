# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=folded --depth=2 $P plain.lz4
