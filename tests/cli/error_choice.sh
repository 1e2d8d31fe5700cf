# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat --sort=size plain.lz4 2>&1
