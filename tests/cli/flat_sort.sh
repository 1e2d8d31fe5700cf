# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --sort=calls --limit=2 plain.lz4
