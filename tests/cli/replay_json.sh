# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --format=json plain.lz4
