# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tere 2>&1
