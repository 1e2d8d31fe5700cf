# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze check plain.lz4
