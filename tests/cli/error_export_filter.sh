# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome --filter=x plain.lz4 2>&1
