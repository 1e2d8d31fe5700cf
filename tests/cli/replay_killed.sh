# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P killed.lz4
