# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --columns=total,size plain.lz4 2>&1
