# SPDX-License-Identifier: BSD-2-Clause
# A thread without a slot: nothing is known of its time, and that is said.
cprof-analyze why grab --perf-map=kernel.map recorded.lz4
