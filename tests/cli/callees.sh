# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callees $P --focus=main plain.lz4
