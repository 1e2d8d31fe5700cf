# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze why nobody $P plain.lz4 2>&1
