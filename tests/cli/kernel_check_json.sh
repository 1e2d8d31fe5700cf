# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze check --format=json alone.bpf.lz4
