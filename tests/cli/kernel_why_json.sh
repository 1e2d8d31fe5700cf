# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze why serve --perf-map=kernel.map --format=json recorded.lz4
