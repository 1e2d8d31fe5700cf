# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --depth=many plain.lz4 2>&1
