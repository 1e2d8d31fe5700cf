# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --focus=parse --min-duration=20us --skip-first=1 plain.lz4; cprof-analyze replay $P --filter="^wor" --exclude=lex --depth=1 plain.lz4
