# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze doctor 2>&1
