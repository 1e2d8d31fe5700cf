# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --columns=cpu plain.lz4 2>&1
