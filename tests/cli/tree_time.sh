# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --min-percent=0 --time=150us:500us plain.lz4
