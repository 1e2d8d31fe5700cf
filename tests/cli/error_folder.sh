# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree folder 2>&1
