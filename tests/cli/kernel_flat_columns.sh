# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat --perf-map=kernel.map --sort=blocked --columns=blocked.self,blocked,calls,io recorded.lz4
