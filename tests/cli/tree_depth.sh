# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --depth=1 --sort=name --width=70 plain.lz4
