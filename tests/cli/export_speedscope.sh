# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=speedscope $P plain.lz4
