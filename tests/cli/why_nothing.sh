# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze why 2>&1
