# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P hostile.lz4; cprof-analyze replay $P --format=json hostile.lz4
