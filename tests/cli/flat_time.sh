# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --format=csv --time=150us:500us plain.lz4
