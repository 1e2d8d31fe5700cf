# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --format=csv --limit=7 plain.lz4
