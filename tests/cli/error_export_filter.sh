# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=callgrind --filter=x plain.lz4 2>&1
