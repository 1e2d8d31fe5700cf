# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=folded $P plain.lz4
