# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze info plain.lz4
