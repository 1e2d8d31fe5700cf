# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome $P --time=100us:440us --focus=parse --skip-first=1 plain.lz4
