# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --columns=self,calls,avg,p50,max plain.lz4
