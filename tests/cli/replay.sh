# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P plain.lz4
