# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome $P lost.lz4
