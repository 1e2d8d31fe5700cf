# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --filter="(" plain.lz4 2>&1
